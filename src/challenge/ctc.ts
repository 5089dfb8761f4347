import { classes, type DigitPosteriors } from './digit-posteriors.js';

/**
 * Connectionist temporal classification (Graves et al. 2006) over eleven classes. A path names one class for each frame; it spells the
 * digits it passes through, repeats of one class without a gap between counted once. All paths of a string together are its
 * probability, and since the rows of posteriors sum to 1, so do the probabilities of all strings: log p(string) is the log posterior
 * probability that this string was said, given that digits were asked for. It is at most 0.
 */

/** Ends of a frame that is outside: no path. */
const never = -Infinity;

/** log(e^a + e^b), never NaN for values below Infinity. */
export function logAdd(a: number, b: number): number {
  const higher = a > b ? a : b;
  return higher === never ? never : higher + Math.log1p(Math.exp((a > b ? b : a) - higher));
}

/** Class of each state of a string: a gap before, between and after its digits. */
const statesOf = (digits: string): number[] => [0, ...[...digits].flatMap((digit) => [1 + Number(digit), 0])];

/** A digit may follow another without a gap unless they are the same. */
const maySkip = (states: readonly number[], state: number): boolean =>
  state >= 2 && states[state] !== 0 && states[state] !== states[state - 2];

/**
 * log p(digits) by the forward recursion.
 * @param digits 0 to 9; may be empty
 * @returns natural logarithm, −Infinity … 0; −Infinity where there are fewer frames than the digits need
 */
export function logProbability({ frames, logs }: DigitPosteriors, digits: string): number {
  const states = statesOf(digits);
  if (frames === 0) return digits === '' ? 0 : never;
  const skips = states.map((_, state) => maySkip(states, state));
  let before = new Float64Array(states.length).fill(never);
  let now = new Float64Array(states.length);
  before[0] = logs[0] as number;
  if (states.length > 1) before[1] = logs[states[1] as number] as number;
  for (let frame = 1; frame < frames; frame++) {
    for (let state = 0; state < states.length; state++) {
      let sum = before[state] as number;
      if (state > 0) sum = logAdd(sum, before[state - 1] as number);
      if (skips[state]) sum = logAdd(sum, before[state - 2] as number);
      now[state] = sum + (logs[frame * classes + (states[state] as number)] as number);
    }
    [before, now] = [now, before];
  }
  const last = states.length - 1;
  return Math.min(0, last === 0 ? (before[0] as number) : logAdd(before[last] as number, before[last - 1] as number));
}

/** A prefix' two kinds of paths: those that end in a gap, and those that end in its last digit. */
interface Prefix {
  gap: number;
  digit: number;
}

/** A digit less likely than this in a frame does not begin there, natural log. */
const leastBeginning = -18;

/**
 * The most likely string of any length, by prefix beam search.
 * @param beam prefixes kept from frame to frame
 */
export function bestDigits({ frames, logs }: DigitPosteriors, beam = 8): string {
  let kept = new Map<string, Prefix>([['', { gap: 0, digit: never }]]);
  for (let frame = 0; frame < frames; frame++) {
    const row = logs.subarray(frame * classes, (frame + 1) * classes);
    const grown = new Map<string, Prefix>();
    const entry = (prefix: string): Prefix => {
      const found = grown.get(prefix) ?? { gap: never, digit: never };
      grown.set(prefix, found);
      return found;
    };
    for (const [prefix, { gap, digit }] of kept) {
      const both = logAdd(gap, digit);
      const same = entry(prefix);
      same.gap = logAdd(same.gap, both + (row[0] as number));
      for (let next = 0; next < 10; next++) {
        const log = row[1 + next] as number;
        if (log < leastBeginning) continue;
        const repeats = prefix.endsWith(String(next));
        if (repeats) same.digit = logAdd(same.digit, digit + log);
        const longer = entry(prefix + String(next));
        longer.digit = logAdd(longer.digit, (repeats ? gap : both) + log);
      }
    }
    const ranked = [...grown].sort(([, a], [, b]) => logAdd(b.gap, b.digit) - logAdd(a.gap, a.digit));
    kept = new Map(ranked.slice(0, beam));
  }
  const [first] = kept;
  return first?.[0] ?? '';
}
