import { WebSocket } from 'ws';

/** The three media servers, by what they say at the upgrade. */
export const forkKinds = {
  audioFork: { protocol: 'freeswitch', subprotocol: 'audio.drachtio.org' },
  audioStream: { protocol: 'freeswitch', subprotocol: null },
  jambonz: { protocol: 'jambonz', subprotocol: 'audio.jambonz.org' },
} as const;
export type ForkKind = keyof typeof forkKinds;

/** A media server that forks a call's audio, as the pages of mod_audio_fork, mod_audio_stream and jambonz `listen` describe it. */
export class ForkConnection {
  readonly socket: WebSocket;
  /** What came back, as it would be relayed: mod_audio_fork and jambonz take `data` of messages of type `json`. */
  readonly relayed: Record<string, any>[] = [];
  /** Types of the messages as they came. */
  readonly types: string[] = [];
  readonly gone: Promise<{ readonly code: number; readonly reason: string }>;
  /** The HTTP status of a refused upgrade, or 101. */
  readonly status: Promise<number>;
  /** How to authenticate, with a 401. */
  challenge: string | undefined;

  constructor(kind: ForkKind, url: string, options: { readonly auth?: string; readonly subprotocol?: string } = {}) {
    const subprotocol = options.subprotocol ?? forkKinds[kind].subprotocol;
    this.socket = new WebSocket(url, subprotocol === null ? [] : [subprotocol], {
      ...(options.auth === undefined ? {} : { auth: options.auth }),
    });
    this.socket.on('message', (data: Buffer, isBinary) => {
      const message = JSON.parse(data.toString()) as Record<string, any>;
      this.types.push(isBinary ? 'binary' : String(message.type));
      if (kind === 'audioStream') this.relayed.push(message);
      else if (message.type === 'json') this.relayed.push(message.data as Record<string, any>);
    });
    this.socket.on('error', () => undefined);
    this.gone = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    this.status = new Promise((resolve) => {
      this.socket.on('open', () => resolve(101));
      this.socket.on('unexpected-response', (_request, response) => {
        this.challenge = response.headers['www-authenticate'];
        resolve(response.statusCode ?? 0);
        this.socket.terminate();
      });
    });
  }

  /** Text frames: the metadata, `send_text`, the text of a stop. */
  async say(...texts: readonly (string | object)[]): Promise<void> {
    await this.status;
    for (const text of texts) this.socket.send(typeof text === 'string' ? text : JSON.stringify(text));
  }

  /** Binary frames of the sizes that `sizeOf` gives. */
  async hear(audio: Uint8Array, sizeOf: () => number = () => 320): Promise<void> {
    await this.status;
    for (let at = 0; at < audio.length && this.socket.readyState === WebSocket.OPEN;) {
      const size = Math.max(1, Math.round(sizeOf()));
      this.socket.send(audio.subarray(at, at + size));
      at += size;
    }
  }

  async until(type: string): Promise<Record<string, any>> {
    for (;;) {
      const found = this.relayed.find((message) => message.type === type);
      if (found !== undefined) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`gone without ${type}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
