import { WebSocket } from 'ws';
import { Value } from 'typebox/value';
import { serverMessages } from '../../src/telephony/own-messages.js';
import { l16 } from './harness.js';

/** The hello of 8 kHz mono. */
export const hello = { type: 'hello', encoding: 'l16-le', sampleRateHz: 8000, channels: ['customer'] };

/** Types of the messages that were really sent. */
export const seenTypes = new Set<string>();

/** @throws Error when a message is not as the AsyncAPI page says */
function checkServerMessage(message: Record<string, any>): void {
  const type = String(message.type);
  if (!Object.hasOwn(serverMessages, type)) throw new Error(`the page knows no message ${type}`);
  const [fault] = Value.Errors(serverMessages[type as keyof typeof serverMessages], message);
  if (fault !== undefined) throw new Error(`${type} is not as the page says: ${fault.instancePath} ${fault.message}`);
  seenTypes.add(type);
}

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
      checkServerMessage(message);
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

  /** Waits until the service has read all that was sent, or is gone. */
  async taken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.once('pong', () => resolve());
      this.socket.once('close', () => resolve());
      this.socket.ping();
    });
  }

  async until(type: string): Promise<Record<string, any>> {
    const already = this.messages.find((message) => message.type === type);
    return already ?? new Promise((resolve) => this.waiting.push({ type, resolve }));
  }
}
