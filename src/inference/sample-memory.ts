const bytesPerSample = Float32Array.BYTES_PER_ELEMENT;

/** Memory that is so many times larger than what is to be copied is left for something longer. */
const mostTimesLarger = 2;

/**
 * Copies of samples in memory that comes back and is used again. Left to the garbage collectors, a few hundred kilobytes a second of speech and task
 * cost more than the copying. Memory is given out for about its own length: the collector counts it by its size whenever it comes from a worker, and
 * marks everything after some 64 MB, so half a second of speech must not travel in the memory of a minute.
 */
export class SampleMemory {
  private readonly spare: ArrayBuffer[] = [];

  /** @param most pieces kept; the one that has lain longest gives way */
  constructor(private readonly most: number) {}

  copyOf(samples: Float32Array): Float32Array<ArrayBuffer> {
    const bytes = samples.length * bytesPerSample;
    const fit = this.spare.findIndex(
      ({ byteLength }) => byteLength >= bytes && byteLength <= Math.max(mostTimesLarger * bytes, 4096),
    );
    const [memory] = fit < 0 ? [new ArrayBuffer(bytes)] : this.spare.splice(fit, 1);
    const copy = new Float32Array(memory as ArrayBuffer, 0, samples.length);
    copy.set(samples);
    return copy;
  }

  giveBack(memory: ArrayBuffer): void {
    this.spare.push(memory);
    if (this.spare.length > this.most) this.spare.shift();
  }
}
