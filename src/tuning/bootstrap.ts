import { seededRandom } from './seeded-random.js';

/** 95 % interval: the 2.5th and the 97.5th percentile of the draws. */
export type Interval = readonly [number, number];

/** How often draws are made when nothing else is said: enough for the 2.5th percentile of a report. */
export const usualRounds = 1000;

/**
 * Bootstrap over groups that belong together (all trials of a model, all of a speaker): whole groups are drawn with replacement, as many as there are.
 * @param groups of each trial, one number or two (model's and test's speaker: then a trial counts as often as both were drawn
 *   together; trials whose two groups are the same count once for each time it was drawn)
 * @param measure a draw's value by the weights of the trials; null where the draw has none, which leaves the draw out
 * @returns null when fewer than half of the draws have a value
 */
export function bootstrap<K extends string>(
  groups: { readonly first: readonly number[]; readonly second?: readonly number[]; readonly count: number },
  measure: (weights: Float64Array) => Readonly<Record<K, number>> | null,
  options: { readonly rounds: number; readonly seed: number },
): Readonly<Record<K, Interval>> | null {
  const random = seededRandom(options.seed);
  const { first, second, count } = groups;
  const weights = new Float64Array(first.length);
  const drawn = new Float64Array(count);
  const values = new Map<K, number[]>();
  let used = 0;
  for (let round = 0; round < options.rounds; round++) {
    drawn.fill(0);
    for (let at = 0; at < count; at++) drawn[Math.floor(random() * count)]!++;
    for (let at = 0; at < first.length; at++) {
      const a = first[at]!;
      const b = second?.[at] ?? a;
      weights[at] = a === b ? drawn[a]! : drawn[a]! * drawn[b]!;
    }
    const found = measure(weights);
    if (found === null) continue;
    used++;
    for (const [name, value] of Object.entries(found) as [K, number][]) {
      const list = values.get(name);
      if (list === undefined) values.set(name, [value]);
      else list.push(value);
    }
  }
  if (2 * used < options.rounds || used === 0) return null;
  return Object.fromEntries([...values].map(([name, list]) => [name, percentiles(list)])) as Record<K, Interval>;
}

/** Numbers for names, in order of appearance, for `bootstrap`. */
export function groupNumbers(...columns: readonly (readonly string[])[]): { numbers: number[][]; count: number } {
  const known = new Map<string, number>();
  const numbers = columns.map((names) =>
    names.map((name) => {
      const number = known.get(name) ?? known.size;
      known.set(name, number);
      return number;
    }),
  );
  return { numbers, count: known.size };
}

/** Linear interpolation between order statistics. */
function percentiles(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    const [a, b] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
    return a === b ? a : a + (place - low) * (b - a);
  };
  return [at(0.025), at(0.975)];
}
