import { VoicegateError } from '../errors.js';
import { designPolyphase, polyphaseSize, type PolyphaseFilter } from './kaiser-filter.js';

/** Slower is no speech, faster is no recorder. */
export const MIN_RATE_HZ = 4_000;
export const MAX_RATE_HZ = 192_000;

/** Coefficients of one filter: 1 MiB. Every usual rate stays below 60,000; what exceeds it shares no common measure with the target. */
const MAX_COEFFICIENTS = 262_144;
const MAX_CACHED_FILTERS = 16;

const filters = new Map<string, PolyphaseFilter>();

/**
 * @throws VoicegateError audio_rate_unsupported when the rate is no whole number from 4 to 192 kHz,
 *   or so crooked beside the target that its filter would need more than 262,144 coefficients
 */
export function assertRate(sampleRateHz: number, targetRateHz: number): void {
  const inRange = Number.isInteger(sampleRateHz) && sampleRateHz >= MIN_RATE_HZ && sampleRateHz <= MAX_RATE_HZ;
  if (inRange && (sampleRateHz === targetRateHz || polyphaseSize(sampleRateHz, targetRateHz) <= MAX_COEFFICIENTS))
    return;
  throw new VoicegateError(
    'audio_rate_unsupported',
    `Audio of ${sampleRateHz} Hz cannot be brought to ${targetRateHz} Hz.`,
    {
      hint: 'Send 8, 11.025, 12, 16, 22.05, 24, 32, 44.1 or 48 kHz.',
      details: { sampleRateHz, targetRateHz, minRateHz: MIN_RATE_HZ, maxRateHz: MAX_RATE_HZ },
    },
  );
}

/** Filters are kept, the oldest making room: a call centre uses two or three rates. */
function filterFor(inRateHz: number, outRateHz: number): PolyphaseFilter {
  const key = `${inRateHz}/${outRateHz}`;
  const kept = filters.get(key);
  if (kept !== undefined) return kept;
  const oldest = filters.keys().next();
  if (filters.size >= MAX_CACHED_FILTERS && oldest.value !== undefined) filters.delete(oldest.value);
  const filter = designPolyphase(inRateHz, outRateHz);
  filters.set(key, filter);
  return filter;
}

/**
 * Changes the sample rate of a stream by a rational factor.
 *
 * accept any number of times, finish once, read at any time. The outputs do not depend, to the last bit, on how the input was
 * cut. The filter's delay is taken out: output m belongs to time m / outRateHz, and n inputs give round(n · out / in) outputs.
 */
export class Resampler {
  readonly #filter: PolyphaseFilter;
  /** Inputs still needed, from absolute index #firstInput on. Silence stands before the first. */
  #inputs: Float32Array;
  #firstInput: number;
  #held: number;
  #accepted = 0;
  #produced = 0;
  #totalOutputs: number | undefined;

  /** @throws VoicegateError audio_rate_unsupported, see assertRate */
  constructor(inRateHz: number, outRateHz: number) {
    assertRate(inRateHz, outRateHz);
    this.#filter = filterFor(inRateHz, outRateHz);
    this.#held = this.#filter.tapsPerPhase - 1;
    this.#firstInput = -this.#held;
    this.#inputs = new Float32Array(this.#held);
  }

  /** Multiplications for each sample accepted. */
  get workPerInput(): number {
    return (this.#filter.tapsPerPhase * this.#filter.up) / this.#filter.down;
  }

  /** Takes the next samples of the stream; they are copied. */
  accept(samples: Float32Array): void {
    if (this.#totalOutputs !== undefined) throw new Error('Resampler: accept after finish');
    this.#append(samples.length).set(samples);
    this.#accepted += samples.length;
  }

  /** Says that no more samples come: the last outputs hear silence after the end. */
  finish(): void {
    if (this.#totalOutputs !== undefined) return;
    const { up, down } = this.#filter;
    this.#totalOutputs = Math.round((this.#accepted * up) / down);
    const missing = this.#lastInputOf(this.#totalOutputs - 1) + 1 - (this.#firstInput + this.#held);
    if (missing > 0) this.#append(missing).fill(0);
  }

  /** The outputs that are ready and have not been read yet; may be empty. */
  read(): Float32Array {
    const { up, down, tapsPerPhase, delaySteps, table } = this.#filter;
    const inputsEnd = this.#firstInput + this.#held;
    // Output m needs inputs up to floor((m · down + delaySteps) / up), which must be below inputsEnd.
    const computable = Math.max(0, Math.floor((inputsEnd * up - 1 - delaySteps) / down) + 1);
    const end = Math.max(this.#produced, Math.min(computable, this.#totalOutputs ?? Infinity));
    const outputs = new Float32Array(end - this.#produced);
    const inputs = this.#inputs;
    for (let output = 0; output < outputs.length; output++) {
      const step = (this.#produced + output) * down + delaySteps;
      const row = (step % up) * tapsPerPhase;
      const from = Math.floor(step / up) - tapsPerPhase + 1 - this.#firstInput;
      // Four sums side by side do not wait for one another; their order is fixed, so cutting cannot change a bit.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let tap = 0; tap < tapsPerPhase; tap += 4) {
        a += inputs[from + tap]! * table[row + tap]!;
        b += inputs[from + tap + 1]! * table[row + tap + 1]!;
        c += inputs[from + tap + 2]! * table[row + tap + 2]!;
        d += inputs[from + tap + 3]! * table[row + tap + 3]!;
      }
      outputs[output] = a + b + (c + d);
    }
    this.#produced = end;
    this.#forget(this.#lastInputOf(end) - tapsPerPhase + 1);
    return outputs;
  }

  #lastInputOf(output: number): number {
    return Math.floor((output * this.#filter.down + this.#filter.delaySteps) / this.#filter.up);
  }

  /** Room for that many more inputs at the end. */
  #append(count: number): Float32Array {
    const held = this.#held;
    if (held + count > this.#inputs.length) {
      const larger = new Float32Array(Math.max(held + count, 2 * this.#inputs.length));
      larger.set(this.#inputs.subarray(0, held));
      this.#inputs = larger;
    }
    this.#held += count;
    return this.#inputs.subarray(held, this.#held);
  }

  /** Drops the inputs before that absolute index: no output will ask for them again. */
  #forget(index: number): void {
    const spent = Math.min(this.#held, index - this.#firstInput);
    if (spent <= 0) return;
    this.#inputs.copyWithin(0, spent, this.#held);
    this.#firstInput += spent;
    this.#held -= spent;
  }
}
