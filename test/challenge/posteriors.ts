import type { DigitPosteriors } from '../../src/challenge/digit-posteriors.js';

/** Numbers in [0, 1) from a 32-bit LCG (Numerical Recipes' constants). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Drawn rows that sum to 1. @param sharpness 0: flat; the larger, the surer */
export function drawnPosteriors(random: () => number, frames: number, sharpness: number): DigitPosteriors {
  const logs = new Float64Array(frames * 11);
  for (let frame = 0; frame < frames; frame++) {
    const row = Array.from({ length: 11 }, (_, at) => sharpness * (random() * 4 + (at === 0 ? 1 : 0)));
    const most = Math.max(...row);
    const total = most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
    row.forEach((value, at) => (logs[frame * 11 + at] = value - total));
  }
  return { frames, logs };
}
