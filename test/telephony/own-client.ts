import { WebSocket } from 'ws';
import { l16 } from './harness.js';

/** The hello of 8 kHz mono. */
export const hello = { type: 'hello', encoding: 'l16-le', sampleRateHz: 8000, channels: ['customer'] };

/** A client of our own protocol as the AsyncAPI page describes it. */
export class OwnClient {
  readonly messages: Record<string, any>[] = [];
  readonly socket: WebSocket;
  /** The close code. */
  readonly gone: Promise<number>;
  private readonly waiting: { readonly type: string; readonly resolve: (message: Record<string, any>) => void }[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url, 'voicegate.v1');
    this.socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Record<string, any>;
      this.messages.push(message);
      for (const one of this.waiting.splice(0)) {
        if (one.type === message.type) one.resolve(message);
        else this.waiting.push(one);
      }
    });
    this.gone = new Promise((resolve) => this.socket.on('close', resolve));
  }

  async say(...messages: object[]): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await new Promise((resolve) => this.socket.on('open', resolve));
    for (const message of messages) this.socket.send(JSON.stringify(message));
  }

  hear(samples: Float32Array, frameBytes = 333): void {
    const bytes = l16(samples);
    for (let at = 0; at < bytes.length; at += frameBytes) this.socket.send(bytes.subarray(at, at + frameBytes));
  }

  async until(type: string): Promise<Record<string, any>> {
    const already = this.messages.find((message) => message.type === type);
    return already ?? new Promise((resolve) => this.waiting.push({ type, resolve }));
  }
}
