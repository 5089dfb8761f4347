import { performance } from 'node:perf_hooks';
import { WebSocket } from 'ws';

export const frameMs = 20;
/** µ-law at 8 kHz. */
export const frameBytes = 160;
const bytesPerSecond = 8000;

/** One frame in so many is followed by a ping: its answer proves that the frame was taken. */
const pingEvery = 5;

/** What a call's client saw, times from `performance.now()`, ms. */
export interface CallRecord {
  /** For some frames: from its sending until the proof came back that the session had taken it. An upper bound: two ways through the sockets and this process count too. */
  readonly takenAfterMs: readonly number[];
  /** How late this process sent its frames. */
  readonly sentLateMs: readonly number[];
  readonly seconds: number;
  readonly verdict: {
    readonly decision: string;
    readonly reasons: readonly string[];
    /** From sending the last frame that had a part in it. */
    readonly afterMs: number;
  } | null;
  readonly closeCode: number;
}

/**
 * A call of our own protocol at the pace of a telephone line: 20 ms frames, each up to `jitterMs` late, one in a hundred held up so that some come at
 * once. `tick` is to be called often.
 */
export class PacedCall {
  readonly done: Promise<CallRecord>;
  private readonly socket: WebSocket;
  private readonly takenAfterMs: number[] = [];
  private readonly sentLateMs: number[] = [];
  private readonly sentAtMs: number[] = [];
  private verdict: CallRecord['verdict'] = null;
  private startMs = NaN;
  private nextDueMs = Infinity;
  private at: number;

  /** @param audio µ-law, heard in a circle from byte `from` */
  constructor(
    url: string,
    private readonly audio: Buffer,
    from: number,
    private readonly random: () => number,
    private readonly jitterMs = 10,
  ) {
    this.at = from;
    this.socket = new WebSocket(url, 'voicegate.v1');
    this.socket.on('open', () => {
      this.socket.send(
        JSON.stringify({ type: 'hello', encoding: 'mulaw', sampleRateHz: bytesPerSecond, channels: ['customer'] }),
      );
    });
    this.socket.on('message', (data: Buffer) => this.hear(JSON.parse(data.toString()) as Message));
    this.socket.on('pong', (data: Buffer) => {
      const sentAtMs = this.sentAtMs[data.readUInt32LE(0)] ?? NaN;
      this.takenAfterMs.push(performance.now() - sentAtMs);
    });
    this.socket.on('error', () => undefined);
    this.done = new Promise((resolve) =>
      this.socket.on('close', (closeCode) => {
        this.nextDueMs = Infinity;
        const { takenAfterMs, sentLateMs, verdict } = this;
        resolve({ takenAfterMs, sentLateMs, verdict, closeCode, seconds: (this.sentAtMs.length * frameMs) / 1000 });
      }),
    );
  }

  /** Sends what is due. */
  tick(nowMs: number): void {
    while (this.nextDueMs <= nowMs) {
      const frame = this.sentAtMs.length;
      const sentAtMs = performance.now();
      this.sentLateMs.push(sentAtMs - this.nextDueMs);
      this.sentAtMs.push(sentAtMs);
      this.socket.send(this.nextFrame());
      if (frame % pingEvery === 0) {
        const mark = Buffer.alloc(4);
        mark.writeUInt32LE(frame);
        this.socket.ping(mark);
      }
      const heldUpMs = this.random() < 0.01 ? 40 + 60 * this.random() : 0;
      const plannedMs = this.startMs + (frame + 1) * frameMs + this.jitterMs * this.random() + heldUpMs;
      this.nextDueMs = Math.max(this.nextDueMs, plannedMs);
    }
  }

  /** Hangs up: what was heard is judged. */
  hangUp(): void {
    this.nextDueMs = Infinity;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: 'end' }));
    else this.socket.terminate();
  }

  private hear(message: Message): void {
    if (message.type === 'hello') {
      this.startMs = performance.now();
      this.nextDueMs = this.startMs;
    } else if (message.type === 'verdict') {
      const heardSeconds = message.evidence?.quality.report?.totalSeconds ?? NaN;
      const lastNeeded = Math.ceil((heardSeconds * bytesPerSecond) / frameBytes) - 1;
      const afterMs = performance.now() - (this.sentAtMs[lastNeeded] ?? NaN);
      this.verdict = { decision: message.decision ?? '', reasons: message.reasons ?? [], afterMs };
      this.nextDueMs = Infinity;
    }
  }

  private nextFrame(): Buffer {
    const { audio, at } = this;
    this.at = (at + frameBytes) % (audio.length - frameBytes);
    return audio.subarray(at, at + frameBytes);
  }
}

interface Message {
  readonly type: string;
  readonly decision?: string;
  readonly reasons?: readonly string[];
  readonly evidence?: { readonly quality: { readonly report?: { readonly totalSeconds: number } } };
}
