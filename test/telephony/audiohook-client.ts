import { createHmac, randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

/** Key and secret of the protocol's own documentation. */
export const apiKey = 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh';
export const secret = Buffer.from('TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=', 'base64');
export const organizationId = 'd7934305-0972-4844-938e-9060eef73d05';
export const stereo = { type: 'audio', format: 'PCMU', channels: ['external', 'internal'], rate: 8000 };
export const mono = { ...stereo, channels: ['external'] };

export const components = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  'x-api-key',
];

/** Two legs in one, sample by sample. @param width bytes of a sample */
export function interleaved(first: Uint8Array, second: Uint8Array, width: number): Buffer {
  const samples = Math.min(first.length, second.length) / width;
  const both = Buffer.alloc(2 * samples * width);
  for (let n = 0; n < samples; n++) {
    both.set(first.subarray(n * width, (n + 1) * width), 2 * n * width);
    both.set(second.subarray(n * width, (n + 1) * width), (2 * n + 1) * width);
  }
  return both;
}

export interface Signing {
  readonly authority: string;
  readonly target: string;
  readonly sessionId?: string;
  readonly keyId?: string;
  readonly secret?: Uint8Array;
  readonly created?: number;
  readonly expires?: number;
  readonly nonce?: string | null;
  readonly alg?: string;
  readonly covers?: readonly string[];
}

/** The headers of a signed upgrade request. */
export function signedHeaders(signing: Signing): Record<string, string> {
  const { authority, target, keyId = apiKey, covers = components } = signing;
  const created = signing.created ?? Math.floor(Date.now() / 1000);
  const nonce = signing.nonce === undefined ? randomUUID() : signing.nonce;
  const headers: Record<string, string> = {
    'audiohook-organization-id': organizationId,
    'audiohook-session-id': signing.sessionId ?? randomUUID(),
    'audiohook-correlation-id': randomUUID(),
    'x-api-key': keyId,
  };
  const parameters = [
    `;keyid="${keyId}"`,
    nonce === null ? '' : `;nonce="${nonce}"`,
    `;alg="${signing.alg ?? 'hmac-sha256'}"`,
    `;created=${created};expires=${signing.expires ?? created + 30}`,
  ].join('');
  const input = `(${covers.map((name) => `"${name}"`).join(' ')})${parameters}`;
  const values: Record<string, string> = { ...headers, '@request-target': target, '@authority': authority };
  const base = [...covers.map((name) => `"${name}": ${values[name] ?? ''}`), `"@signature-params": ${input}`].join(
    '\n',
  );
  const signature = createHmac('sha256', signing.secret ?? secret)
    .update(base)
    .digest('base64');
  return { ...headers, 'signature-input': `sig1=${input}`, signature: `sig1=:${signature}:` };
}

type Message = Record<string, any>;

/** Genesys' side of an AudioHook session. */
export class AudioHookClient {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  readonly sessionId: string;
  /** The HTTP status that the upgrade was refused with, or null. */
  readonly admitted: Promise<number | null>;
  readonly gone: Promise<number>;
  /** Seconds of audio sent. */
  position = 0;
  private seq = 0;
  private readonly waiting: { readonly type: string; readonly resolve: (message: Message) => void }[] = [];

  constructor(base: string, path = '', signing: Partial<Signing> = {}, headers: Record<string, string> = {}) {
    const target = `/v1/streams/audiohook${path}`;
    this.sessionId = signing.sessionId ?? randomUUID();
    const signed = signedHeaders({ authority: new URL(base).host, target, sessionId: this.sessionId, ...signing });
    this.socket = new WebSocket(`${base.replace('http', 'ws')}${target}`, { headers: { ...signed, ...headers } });
    this.admitted = new Promise((resolve) => {
      this.socket.on('open', () => resolve(null));
      this.socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as Message));
    this.gone = new Promise((resolve) => this.socket.on('close', resolve));
  }

  /** Says a message; `changes` are to its envelope. */
  say(type: string, parameters: object = {}, changes: object = {}): this {
    this.seq += 1;
    const position = `PT${this.position.toFixed(3)}S`;
    const serverseq = this.messages.length;
    const message = {
      version: '2',
      id: this.sessionId,
      type,
      seq: this.seq,
      serverseq,
      position,
      parameters,
      ...changes,
    };
    this.socket.send(JSON.stringify(message));
    return this;
  }

  async open(conversationId: string, media: readonly object[] = [stereo], more: object = {}): Promise<this> {
    await this.admitted;
    const participant = { id: randomUUID(), ani: '+10001', aniName: '', dnis: '+10002' };
    return this.say('open', { organizationId, conversationId, participant, media, ...more });
  }

  /** Sends audio in frames of at most `frameBytes`. @param bytesPerSecond of all its channels */
  hear(bytes: Uint8Array, frameBytes = 3200, bytesPerSecond = 16_000): void {
    for (let at = 0; at < bytes.length; at += frameBytes) {
      this.socket.send(bytes.subarray(at, at + frameBytes));
      this.position += Math.min(frameBytes, bytes.length - at) / bytesPerSecond;
    }
  }

  /** The next message of a type, also if it has come already. */
  async until(type: string, after = 0): Promise<Message> {
    const already = this.messages.slice(after).find((message) => message.type === type);
    return already ?? new Promise((resolve) => this.waiting.push({ type, resolve }));
  }

  /** Entities of a type that events carried. */
  entities(type: string): Message[] {
    return this.messages
      .filter((message) => message.type === 'event')
      .flatMap(({ parameters }) => (parameters.entities as Message[]).filter((entity) => entity.type === type))
      .map(({ data }) => data as Message);
  }

  /** Ends the session as Genesys does. */
  async close(reason = 'end'): Promise<void> {
    this.say('close', { reason });
    await this.until('closed');
    this.socket.close();
    await this.gone;
  }

  private take(message: Message): void {
    this.messages.push(message);
    for (const one of this.waiting.splice(0)) {
      if (one.type === message.type) one.resolve(message);
      else this.waiting.push(one);
    }
  }
}
