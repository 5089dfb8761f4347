const bytesPerSample = Float32Array.BYTES_PER_ELEMENT;

/**
 * Copies of samples in memory that is moved to a worker, comes back with the answer and is used again. Left to the garbage collectors of both
 * threads, a few hundred kilobytes a second of speech and task cost more than the copying.
 */
export class SampleMemory {
  private readonly spare: ArrayBuffer[] = [];

  /** @param most pieces kept; more are let go */
  constructor(private readonly most: number) {}

  copyOf(samples: Float32Array): Float32Array<ArrayBuffer> {
    const bytes = samples.length * bytesPerSample;
    const kept = this.spare.pop();
    const memory = kept !== undefined && kept.byteLength >= bytes ? kept : new ArrayBuffer(bytes);
    const copy = new Float32Array(memory, 0, samples.length);
    copy.set(samples);
    return copy;
  }

  giveBack(memory: ArrayBuffer): void {
    if (this.spare.length < this.most) this.spare.push(memory);
  }
}
