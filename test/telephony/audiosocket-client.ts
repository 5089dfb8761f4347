import { connect, type Socket } from 'node:net';
import { seededRandom } from '../../bench/activity-noise.js';

/** A frame as Asterisk writes it. */
export function frame(kind: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(3);
  header.writeUInt8(kind, 0);
  header.writeUInt16BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

export const uuidFrame = (uuid: string): Buffer => frame(0x01, Buffer.from(uuid.replaceAll('-', ''), 'hex'));
export const terminate = frame(0x00);

/** Audio in frames of at most `frameBytes` (20 ms at 8 kHz are 320). */
export function audioFrames(bytes: Uint8Array, frameBytes = 320, kind = 0x10): Buffer {
  const frames = [];
  for (let at = 0; at < bytes.length; at += frameBytes) frames.push(frame(kind, bytes.subarray(at, at + frameBytes)));
  return Buffer.concat(frames);
}

/** Asterisk's side of an AudioSocket. */
export class AudioSocketClient {
  readonly socket: Socket;
  /** All that was sent back, when the connection is closed. */
  readonly gone: Promise<Buffer>;

  constructor(port: number, host = '127.0.0.1') {
    const answers: Buffer[] = [];
    this.socket = connect(port, host);
    this.socket.on('data', (bytes) => answers.push(bytes)).on('error', () => undefined);
    this.gone = new Promise((resolve) => this.socket.on('close', () => resolve(Buffer.concat(answers))));
  }

  send(...frames: Buffer[]): this {
    this.socket.write(Buffer.concat(frames));
    return this;
  }

  /** Sends bytes cut at random, with pauses so that the cuts are seen. */
  async sendCut(bytes: Buffer, seed: number): Promise<void> {
    const random = seededRandom(seed);
    this.socket.setNoDelay(true);
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + 1 + Math.floor(random() ** 3 * 20_000));
      this.socket.write(bytes.subarray(at, next));
      at = next;
      if (random() < 0.7) await new Promise((resolve) => setTimeout(resolve, random() * 4));
    }
  }
}
