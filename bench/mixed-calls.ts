import { WebSocket } from 'ws';
import type { Answer } from './client.js';

/** What may become of a short call; they come by turns. */
const turns = [
  'completed',
  'completed',
  'resumed',
  'completed',
  'lost',
  'silent',
  'completed',
  'unknown',
  'broken',
  'unheard',
] as const;
export type CallKind = (typeof turns)[number];
export const kindOf = (index: number): CallKind => turns[index % turns.length] ?? 'completed';

/** The service that calls come to. */
export interface CallPlace {
  /** `POST /v1/streams` */
  register(body: object): Promise<Answer>;
  /** An account with a voiceprint. */
  readonly accountId: string;
  /** One side of a talk, µ-law at 8 kHz. */
  readonly audio: Buffer;
  /** Where webhooks go; null: none are asked for. */
  readonly eventsUrl: string | null;
}

const hello = { type: 'hello', encoding: 'mulaw', sampleRateHz: 8000, channels: ['customer'] };
const frameBytes = 800;
const spokenSeconds = 4;

/**
 * One call, faster than time. Ended ones end with the goodbye that belongs to them, `lost` and `unheard` without any.
 * @returns null, or what went otherwise than it should
 */
export async function mixedCall(place: CallPlace, index: number): Promise<string | null> {
  const kind = kindOf(index);
  const { status, body } = await place.register({
    mode: 'passive',
    accountId: place.accountId,
    agentId: 'agent-1',
    identifiedByAgent: true,
    ...(place.eventsUrl === null || index % 7 !== 0 ? {} : { eventsUrl: place.eventsUrl }),
  });
  if (status !== 201) return `${kind}: not registered, ${status} ${String(body.code)}`;
  const url = String(body.url);
  const from = (index * 7919) % (place.audio.length - spokenSeconds * 8000);
  const speech = place.audio.subarray(from, from + spokenSeconds * 8000);
  switch (kind) {
    case 'completed': {
      const call = await Caller.open(url, hello);
      call.hear(speech);
      return call.ends(kind, 1000, 'verdict');
    }
    case 'silent': {
      const call = await Caller.open(url, hello);
      return call.ends(kind, 1000, 'verdict');
    }
    case 'resumed': {
      const first = await Caller.open(url, hello);
      const greeting = await first.greeting;
      first.hear(speech.subarray(0, speech.length / 2));
      first.cut();
      await first.gone;
      const again = await Caller.resume(url.replace(/\?.*/, ''), String(greeting?.resumeToken));
      again.hear(speech.subarray(speech.length / 2));
      return again.ends(kind, 1000, 'verdict');
    }
    case 'lost': {
      const call = await Caller.open(url, hello);
      await call.greeting;
      call.hear(speech);
      call.cut();
      await call.gone;
      return null;
    }
    case 'unknown':
      return (await Caller.open(url.replace(/token=.*/, 'token=none'), hello)).ends(kind, 4404, 'error');
    case 'broken': {
      const call = await Caller.open(url, hello);
      await call.greeting;
      call.socket.send('no message');
      return call.ends(kind, 4400, 'error');
    }
    case 'unheard': {
      const call = new Caller(url);
      await call.opened;
      call.cut();
      await call.gone;
      return null;
    }
  }
}

/** A client of our own protocol, no more than these calls need. */
class Caller {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  readonly gone: Promise<number>;
  /** The service's hello; undefined when the connection ended before. */
  readonly greeting: Promise<Record<string, unknown> | undefined>;
  private readonly types: string[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url, 'voicegate.v1');
    this.opened = new Promise((resolve) => this.socket.on('open', resolve));
    this.gone = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.on('error', () => undefined);
    this.greeting = new Promise((resolve) => {
      this.socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Record<string, unknown>;
        this.types.push(String(message.type));
        if (message.type === 'hello') resolve(message);
      });
      this.socket.on('close', () => resolve(undefined));
    });
  }

  static async open(url: string, greeting: object): Promise<Caller> {
    const call = new Caller(url);
    await Promise.race([call.opened, call.gone]);
    if (call.socket.readyState === WebSocket.OPEN) call.socket.send(JSON.stringify(greeting));
    return call;
  }

  /** The service may take a moment to see that the first connection is gone. */
  static async resume(url: string, resume: string): Promise<Caller> {
    for (let tries = 0; ; tries++) {
      const call = await Caller.open(url, { ...hello, resume });
      if ((await call.greeting) !== undefined || tries === 50) return call;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  hear(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += frameBytes) this.socket.send(bytes.subarray(at, at + frameBytes));
  }

  cut(): void {
    this.socket.terminate();
  }

  async ends(kind: CallKind, code: number, type: string): Promise<string | null> {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: 'end' }));
    const found = await this.gone;
    const wanted = found === code && this.types.filter((one) => one === type).length === 1;
    return wanted ? null : `${kind}: closed with ${found} after ${this.types.join(' ')}`;
  }
}
