import type { Test } from 'tap';
import type { Trials } from '../../src/scoring/error-rates.js';

/** Numbers in (0, 1) that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** Unit normal scores, nontargets around 0 and targets around `distance` (Box–Muller). */
export function normalScores(count: number, distance: number, seed = 7): Trials {
  const random = seeded(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  return {
    targets: Array.from({ length: count }, () => distance + normal()),
    nontargets: Array.from({ length: count }, normal),
  };
}

/** Fails unless the two agree to within `tolerance`. */
export function near(t: Test, found: number, wanted: number, tolerance: number): void {
  t.ok(Math.abs(found - wanted) <= tolerance, `${found} should be ${wanted} ± ${tolerance}`);
}
