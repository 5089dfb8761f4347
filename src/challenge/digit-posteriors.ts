import { VoicegateError } from '../errors.js';
import type { RecogniserLanguage } from './recogniser-card.js';

/** Columns of a row: the gap (nothing said, or no digit), then the digits 0 to 9. */
export const classes = 11;

/** How likely each digit is at each moment. */
export interface DigitPosteriors {
  readonly frames: number;
  /** Row-major [frames, 11]: column 0 is the gap, 1 + d the digit d. A row sums to 1. */
  readonly probabilities: Float64Array;
}

/** How a language's units collapse to digits; made once by `digitGrammar`. */
export interface DigitGrammar {
  /** Class of each unit: 0 gap, 1 + d digit d, −1 left out. */
  readonly classOf: Int8Array;
  /** Factor of each unit's probability. */
  readonly factor: Float64Array;
  readonly temperature: number;
  /** Least probability of a class in a frame. */
  readonly floor: number;
}

/** @param units names of the network's columns, the blank first */
export function digitGrammar(units: readonly string[], language: RecogniserLanguage): DigitGrammar {
  const { digitUnits, unitPrefix, blankWeight, fillerWeight, temperature, floor } = language;
  const digitOf = new Map(digitUnits.flatMap((names, digit) => names.map((name) => [name, digit] as const)));
  const classOf = new Int8Array(units.length).fill(-1);
  const factor = new Float64Array(units.length).fill(1);
  units.forEach((unit, column) => {
    const digit = digitOf.get(unit);
    if (digit !== undefined) classOf[column] = 1 + digit;
    else if (column === 0 || unit.startsWith(unitPrefix)) {
      classOf[column] = 0;
      factor[column] = Math.exp(column === 0 ? blankWeight : fillerWeight);
    }
  });
  return { classOf, factor, temperature, floor };
}

/**
 * The network's log posteriors of units as those of digits: the probabilities of a digit's pronunciations are added, blank and other
 * syllables weighed and added to the gap, units of other languages left out, and each row made to sum to 1, none below the floor.
 * @param values natural logs, row-major [frames, units]
 * @throws VoicegateError `inference_failed` for values that are no log probabilities
 */
export function collapse(values: Float32Array, { classOf, factor, temperature, floor }: DigitGrammar): DigitPosteriors {
  const units = classOf.length;
  const frames = Math.floor(values.length / units);
  const probabilities = new Float64Array(frames * classes);
  for (let frame = 0; frame < frames; frame++) {
    const row = probabilities.subarray(frame * classes, (frame + 1) * classes);
    for (let unit = 0; unit < units; unit++) {
      const at = classOf[unit] as number;
      if (at < 0) continue;
      const probability = Math.exp((values[frame * units + unit] as number) / temperature);
      row[at] = (row[at] as number) + (factor[unit] as number) * probability;
    }
    const whole = row.reduce((sum, value) => sum + value, 0);
    if (!(whole < Infinity)) {
      throw new VoicegateError('inference_failed', 'the digit recogniser gave values that are no log probabilities', {
        hint: 'Do the samples hold numbers that are not finite?',
      });
    }
    const floored = row.map((value) => Math.max(floor, whole > 0 ? value / whole : 0));
    const sum = floored.reduce((total, value) => total + value, 0);
    floored.forEach((value, at) => (row[at] = value / sum));
  }
  return { frames, probabilities };
}

/** What is left from a frame on. */
export function fromFrame({ frames, probabilities }: DigitPosteriors, first: number): DigitPosteriors {
  const start = Math.min(frames, Math.max(0, first));
  return { frames: frames - start, probabilities: probabilities.subarray(start * classes) };
}
