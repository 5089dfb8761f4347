import { classes, type DigitPosteriors } from './digit-posteriors.js';

/**
 * Connectionist temporal classification (Graves et al. 2006) over eleven classes. A path names one class for each frame; it spells the
 * digits it passes through, repeats of one class without a gap between counted once. All paths of a string together are its
 * probability, and since the rows of posteriors sum to 1, so do the probabilities of all strings: log p(string) is the log posterior
 * probability that this string was said, given that digits were asked for. It is at most 0.
 *
 * Probabilities are kept in proportion to each other and the common factor as a logarithm: no exponential for each state and frame, and
 * one that is 10^300 times less likely than another counts as impossible.
 */

/** Class of each state of a string: a gap before, between and after its digits. */
export const statesOf = (digits: string): number[] => [0, ...[...digits].flatMap((digit) => [1 + Number(digit), 0])];

/** A digit may follow another without a gap unless they are the same. */
export const maySkip = (states: readonly number[], state: number): boolean =>
  state >= 2 && states[state] !== 0 && states[state] !== states[state - 2];

/**
 * log p(digits) by the forward recursion.
 * @param digits 0 to 9; may be empty
 * @returns natural logarithm, −Infinity … 0; −Infinity where there are fewer frames than the digits need
 */
export function logProbability({ frames, probabilities }: DigitPosteriors, digits: string): number {
  const states = statesOf(digits);
  const skips = states.map((_, state) => maySkip(states, state));
  const last = states.length - 1;
  // Of all paths so far that end in a state, shares of their sum; before the first frame as if in the gap before.
  const ending = new Float64Array(states.length);
  ending[0] = 1;
  let log = 0;
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let state = last; state >= 0; state--) {
      let paths = ending[state] as number;
      if (state > 0) paths += ending[state - 1] as number;
      if (skips[state] === true) paths += ending[state - 2] as number;
      sum += ending[state] = paths * (probabilities[frame * classes + (states[state] as number)] as number);
    }
    if (!(sum > 0)) return -Infinity;
    for (let state = 0; state <= last; state++) ending[state] = (ending[state] as number) / sum;
    log += Math.log(sum);
  }
  const whole = (ending[last] as number) + (last > 0 ? (ending[last - 1] as number) : 0);
  return Math.min(0, log + Math.log(whole));
}

/** log(e^a + e^b), never NaN for values below Infinity. */
export function logAdd(a: number, b: number): number {
  const higher = Math.max(a, b);
  return higher === -Infinity ? -Infinity : higher + Math.log1p(Math.exp(Math.min(a, b) - higher));
}

/** A prefix' two kinds of paths: those that end in a gap, and those that end in its last digit. */
interface Prefix {
  gap: number;
  digit: number;
}

/** A digit less likely than this in a frame is passed by (e^−9). */
const leastBeginning = 1.234e-4;

/**
 * The most likely string of any length, by prefix beam search.
 * @param beam prefixes kept from frame to frame
 */
export function bestDigits({ frames, probabilities }: DigitPosteriors, beam = 8): string {
  let kept: [string, Prefix][] = [['', { gap: 1, digit: 0 }]];
  for (let frame = 0; frame < frames; frame++) {
    const row = probabilities.subarray(frame * classes, (frame + 1) * classes);
    const grown = new Map<string, Prefix>();
    const entry = (prefix: string): Prefix => {
      const found = grown.get(prefix) ?? { gap: 0, digit: 0 };
      grown.set(prefix, found);
      return found;
    };
    for (const [prefix, { gap, digit }] of kept) {
      const same = entry(prefix);
      same.gap += (gap + digit) * (row[0] as number);
      for (let next = 0; next < 10; next++) {
        const probability = row[1 + next] as number;
        if (probability < leastBeginning) continue;
        const repeats = prefix.endsWith(String(next));
        if (repeats) same.digit += digit * probability;
        entry(prefix + String(next)).digit += (repeats ? gap : gap + digit) * probability;
      }
    }
    kept = [...grown].sort(([, a], [, b]) => b.gap + b.digit - (a.gap + a.digit)).slice(0, beam);
    const most = (kept[0]?.[1].gap ?? 0) + (kept[0]?.[1].digit ?? 0);
    if (!(most > 0)) return kept[0]?.[0] ?? '';
    for (const [, prefix] of kept) {
      prefix.gap /= most;
      prefix.digit /= most;
    }
  }
  return kept[0]?.[0] ?? '';
}
