import { createHmac } from 'node:crypto';
import wavefile from 'wavefile';
import { WebSocket } from 'ws';

export type Dialect = 'twilio' | 'telnyx';
export interface Message {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** The codes of 16-bit samples in µ-law or A-law. */
export function g711(samples: Float32Array, law: 'mulaw' | 'alaw'): Uint8Array {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(
    1,
    8000,
    '16',
    samples.map((sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768)))),
  );
  if (law === 'mulaw') wav.toMuLaw();
  else wav.toALaw();
  return (wav.data as unknown as { readonly samples: Uint8Array }).samples.subarray(0, samples.length);
}

/** What Twilio signs its upgrade requests with. */
export const twilioSignature = (authToken: string, address: string): string =>
  createHmac('sha1', authToken).update(address).digest('base64');

export interface StreamTold {
  readonly encoding?: string;
  readonly sampleRateHz?: number;
  readonly tracks?: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A stream of Twilio or Telnyx as their pages on WebSocket messages describe it: every message in its order, before anything happens to it. */
export class StreamScript {
  readonly messages: Message[] = [];
  private readonly chunks = { inbound: 0, outbound: 0 };

  constructor(private readonly dialect: Dialect) {}

  start({ encoding, sampleRateHz = 8000, tracks = ['inbound'], parameters = {} }: StreamTold = {}): this {
    this.messages.push(
      this.dialect === 'twilio'
        ? { event: 'connected', protocol: 'Call', version: '1.0.0' }
        : { event: 'connected', version: '1.0.0' },
    );
    return this.dialect === 'twilio'
      ? this.add('start', {
          accountSid: 'AC0',
          streamSid: 'MZ0',
          callSid: 'CA0',
          tracks,
          mediaFormat: { encoding: encoding ?? 'audio/x-mulaw', sampleRate: sampleRateHz, channels: 1 },
          customParameters: parameters,
        })
      : this.add('start', {
          user_id: 'u0',
          call_control_id: 'c0',
          client_state: null,
          custom_parameters: parameters,
          media_format: { encoding: encoding ?? 'PCMU', sample_rate: sampleRateHz, channels: 1 },
        });
  }

  /** @param tracks audio of each, of equal length, sent alternately in packets of 20 ms */
  media(tracks: Partial<Record<'inbound' | 'outbound', Uint8Array>>, bytesPerSecond = 8000, packetMs = 20): this {
    const size = (bytesPerSecond * packetMs) / 1000;
    const length = Math.max(...Object.values(tracks).map((bytes) => bytes.length));
    for (let at = 0; at < length; at += size) {
      for (const [track, bytes] of Object.entries(tracks)) {
        const n = this.chunks[track as 'inbound']++;
        this.add('media', {
          track,
          chunk: String(n + 1),
          timestamp: String(Math.round(packetMs * n)),
          payload: Buffer.from(bytes.subarray(at, at + size)).toString('base64'),
        });
      }
    }
    return this;
  }

  dtmf(digit: string): this {
    return this.add('dtmf', this.dialect === 'twilio' ? { track: 'inbound_track', digit } : { digit });
  }

  stop(): this {
    return this.add('stop', this.dialect === 'twilio' ? { accountSid: 'AC0', callSid: 'CA0' } : { reason: 'hangup' });
  }

  /** The messages as a bad network brings them: media up to `depth` places late, some of it twice, some never. */
  through(
    random: () => number,
    { depth = 8, twice = 0.1, lost }: { depth?: number; twice?: number; lost?: (n: number) => boolean } = {},
  ): Message[] {
    let n = 0;
    return this.messages
      .flatMap((message, place) => {
        if (message.event !== 'media') return [{ message, at: place }];
        if (lost?.(n++)) return [];
        const again = random() < twice ? [{ message, at: place + random() * depth }] : [];
        return [{ message, at: place + random() * depth }, ...again];
      })
      .sort((a, b) => (a.message.event === 'stop' ? 1 : b.message.event === 'stop' ? -1 : a.at - b.at))
      .map(({ message }) => message);
  }

  private add(event: string, body: object): this {
    const number = String(this.messages.length);
    this.messages.push(
      this.dialect === 'twilio'
        ? { event, sequenceNumber: number, streamSid: 'MZ0', [event]: body }
        : { event, sequence_number: number, stream_id: 'S0', [event]: body },
    );
    return this;
  }
}

/** A connection as Twilio and Telnyx make it. What it is sent is kept: it should be nothing. */
export class StreamConnection {
  readonly socket: WebSocket;
  readonly received: string[] = [];
  readonly gone: Promise<{ readonly code: number; readonly reason: string }>;
  /** The HTTP status of a refused upgrade, or 101. */
  readonly status: Promise<number>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data: Buffer) => this.received.push(data.toString()));
    this.socket.on('error', () => undefined);
    this.gone = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    this.status = new Promise((resolve) => {
      this.socket.on('open', () => resolve(101));
      this.socket.on('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0);
        this.socket.terminate();
      });
    });
  }

  async say(...messages: readonly (Message | string | Buffer)[]): Promise<void> {
    await this.status;
    for (const message of messages) {
      if (this.socket.readyState !== WebSocket.OPEN) return;
      this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    }
  }
}
