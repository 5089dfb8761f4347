/** Samples that wait for a decision about them: taken in at the end, given out at the beginning. Memory grows with the longest wait only. */
export class SampleQueue {
  private memory: Float32Array;
  private start = 0;
  private held = 0;

  /** @param capacity samples that find room without new memory */
  constructor(capacity = 0) {
    this.memory = new Float32Array(capacity);
  }

  get length(): number {
    return this.held;
  }

  /** Takes samples in; they are copied. */
  push(samples: Float32Array): void {
    const end = this.start + this.held;
    if (end + samples.length > this.memory.length) this.makeRoom(samples.length);
    this.memory.set(samples, this.start + this.held);
    this.held += samples.length;
  }

  /** The samples at [from, to) of the queue, without taking them out: a view that lives until the next `push`. */
  view(from: number, to: number): Float32Array {
    return this.memory.subarray(this.start + from, this.start + Math.min(to, this.held));
  }

  /** Takes the first samples out: a view that lives until the next `push`. Fewer where fewer are held. */
  shift(count: number): Float32Array {
    const taken = this.view(0, Math.max(0, count));
    this.start += taken.length;
    this.held -= taken.length;
    return taken;
  }

  /** Lets the last samples go, so that `length` are left. */
  truncate(length: number): void {
    this.held = Math.min(this.held, Math.max(0, length));
  }

  clear(): void {
    this.start = 0;
    this.held = 0;
  }

  private makeRoom(more: number): void {
    const needed = this.held + more;
    const roomy = this.memory.length >= 2 * needed ? this.memory : new Float32Array(2 * needed);
    roomy.set(this.memory.subarray(this.start, this.start + this.held));
    this.memory = roomy;
    this.start = 0;
  }
}
