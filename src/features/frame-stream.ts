import type { Framing } from './framing.js';

/**
 * Log-mel frames of a signal that arrives in pieces: `accept` samples as they come, `finish` once, `read` the rows ready since the last read.
 * However the signal is cut, the rows are the same to the last bit as those of one whole call.
 */
export class FrameStream {
  /** The signal from `pendingStart` on, with what lies before its beginning. */
  private pending = new Float32Array(0);
  private pendingLength = 0;
  /** Position of pending[0]; position 0 is the first sample of frame 0. */
  private pendingStart = 0;
  private received = 0;
  private framesRead = 0;
  private lastSample = 0;
  private leadFilled = false;
  private finished = false;

  /** @param compute works out consecutive overlapping frames, the first at the start of the samples, and writes as many rows as `rows` holds */
  constructor(
    private readonly framing: Framing,
    private readonly melBins: number,
    private readonly compute: (samples: Float32Array, rows: Float32Array) => void,
  ) {
    this.restart();
  }

  /** Forgets everything and begins a new signal, in the memory of the old. */
  restart(): void {
    this.reserve(this.framing.leadSamples);
    this.pendingLength = this.framing.leadSamples;
    this.pendingStart = 0;
    this.received = 0;
    this.framesRead = 0;
    this.lastSample = 0;
    this.leadFilled = false;
    this.finished = false;
  }

  /** @param samples finite, [-1, 1]; copied. @throws Error after finish() */
  accept(samples: Float32Array): void {
    if (this.finished) throw new Error('a frame stream takes no samples after finish()');
    // With room for what finish() may add.
    this.reserve(samples.length + this.framing.lengthSamples);
    if (this.framing.signalPreEmphasis === 0) this.pending.set(samples, this.pendingLength);
    else this.emphasise(samples);
    this.pendingLength += samples.length;
    this.received += samples.length;
    if (this.received >= this.framing.leadSamples) this.fillLead();
  }

  /** Ends the signal: the frames that reach over its end become ready. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.fillLead();
    const { framing } = this;
    const frames = framing.framesOf(this.received);
    const endPosition = frames === 0 ? 0 : (frames - 1) * framing.shiftSamples + framing.lengthSamples;
    const missing = endPosition - (this.pendingStart + this.pendingLength);
    if (missing <= 0) return;
    this.reserve(missing);
    for (let added = 0; added < missing; added++) {
      this.pending[this.pendingLength + added] = this.beyond(this.received + added);
    }
    this.pendingLength += missing;
  }

  /**
   * Rows ready since the last read, row-major, possibly none.
   * @param memory where to write them, with room for all; new memory when left out
   */
  read(memory?: Float32Array): Float32Array {
    const frames = Math.max(0, this.framesReady() - this.framesRead);
    const length = frames * this.melBins;
    const rows = memory?.subarray(0, length) ?? new Float32Array(length);
    this.compute(this.pending.subarray(0, this.pendingLength), rows);
    this.framesRead += frames;
    const consumed = frames * this.framing.shiftSamples;
    this.pending.copyWithin(0, consumed, this.pendingLength);
    this.pendingLength = Math.max(0, this.pendingLength - consumed);
    this.pendingStart += consumed;
    return rows;
  }

  /** Frames whose samples are all known. */
  private framesReady(): number {
    if (this.finished) return this.framing.framesOf(this.received);
    if (!this.leadFilled) return 0;
    const known = this.pendingStart + this.pendingLength;
    return Math.floor((known - this.framing.lengthSamples) / this.framing.shiftSamples) + 1;
  }

  /** Before the first sample: the mirrored beginning, or the silence that is there already. */
  private fillLead(): void {
    if (this.leadFilled) return;
    this.leadFilled = true;
    for (let index = 0; index < this.framing.leadSamples; index++) {
      this.pending[index] = this.beyond(index - this.framing.leadSamples);
    }
  }

  /** What lies at sample `index` outside the signal, index < 0 or ≥ received. */
  private beyond(index: number): number {
    if (this.framing.edges !== 'mirror' || this.received === 0) return 0;
    let mirrored = index;
    while (mirrored < 0 || mirrored >= this.received)
      mirrored = mirrored < 0 ? -1 - mirrored : 2 * this.received - 1 - mirrored;
    return this.pending[mirrored + this.framing.leadSamples - this.pendingStart] ?? 0;
  }

  private emphasise(samples: Float32Array): void {
    const coefficient = this.framing.signalPreEmphasis;
    let before = this.lastSample;
    for (let index = 0; index < samples.length; index++) {
      const sample = samples[index] ?? 0;
      this.pending[this.pendingLength + index] = sample - coefficient * before;
      before = sample;
    }
    this.lastSample = before;
  }

  private reserve(more: number): void {
    const needed = this.pendingLength + more;
    if (needed <= this.pending.length) return;
    const grown = new Float32Array(Math.max(needed, this.pending.length * 2));
    grown.set(this.pending);
    this.pending = grown;
  }
}
