import { cosine, unit } from './cosine.js';

/**
 * The voice of a recording or call so far: mean direction of its windows' embeddings, each weighted by its net speech. Grows window by window
 * at the same cost, and compares each window with those before it: does one voice speak throughout?
 */
export class RunningVoice {
  private sum: Float64Array | null = null;
  private seconds = 0;
  private least: number | null = null;
  private count = 0;

  /**
   * @param vector a window's embedding, of the dimension of those before
   * @param netSpeechSeconds positive
   * @throws RangeError when that is not so
   */
  add(vector: Float32Array, netSpeechSeconds: number): void {
    if (!(netSpeechSeconds > 0)) throw new RangeError(`a window with ${netSpeechSeconds} s of speech weighs nothing`);
    const before = this.mean();
    if (before !== null) this.least = Math.min(this.least ?? 1, cosine(before, vector));
    const sum = (this.sum ??= new Float64Array(vector.length));
    unit(vector).forEach((x, i) => (sum[i] = (sum[i] as number) + netSpeechSeconds * x));
    this.seconds += netSpeechSeconds;
    this.count++;
  }

  get windows(): number {
    return this.count;
  }

  /** Net speech of all windows. */
  get netSpeechSeconds(): number {
    return this.seconds;
  }

  /** Unit length; null before the first window. */
  mean(): Float32Array | null {
    return this.sum === null ? null : unit(this.sum);
  }

  /** Smallest cosine of a window with the mean of those before it; null before the second. */
  get leastCosine(): number | null {
    return this.least;
  }
}
