/** Deterministic whole numbers in [0, 2^32) (32-bit LCG, constants of Numerical Recipes). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
}

/** The signal of make_golden.py: two sweeps and noise on the int16 grid, the last sixth silent. */
export function goldenSignal(sampleRateHz: number, seconds = 0.6): Float32Array {
  const length = Math.trunc(sampleRateHz * seconds);
  const next = numbers(1);
  const speech = length - Math.floor(length / 6);
  return Float32Array.from({ length }, (_, index) => {
    const t = index / sampleRateHz;
    const tones =
      6000 * Math.sin(2 * Math.PI * (200 * t + 900 * t * t)) + 3000 * Math.sin(2 * Math.PI * (2500 * t - 1200 * t * t));
    const noise = ((next() >>> 16) % 4097) - 2048;
    return index < speech ? (Math.round(tones) + noise) / 32768 : 0;
  });
}
