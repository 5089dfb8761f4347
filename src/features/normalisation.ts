import type { FrameNormalisation } from './front-end.js';

/** Added to a standard deviation before dividing by it, as NeMo does. */
const deviationOffset = 1e-5;

/**
 * Normalises frames in place over the utterance.
 * @param rows row-major [frames, bins]; frames may be 0
 * @param kind global-mean: each bin's mean is subtracted; per-feature: also divided by the sample standard deviation (N − 1) + 1e-5
 */
export function normaliseFrames(rows: Float32Array, bins: number, kind: FrameNormalisation): void {
  if (kind === 'none') return;
  const frames = rows.length / bins;
  for (let bin = 0; bin < bins; bin++) {
    let sum = 0;
    for (let at = bin; at < rows.length; at += bins) sum += rows[at] ?? 0;
    const mean = sum / frames;
    const factor = kind === 'per-feature' ? 1 / (deviation(rows, bins, bin, mean) + deviationOffset) : 1;
    for (let at = bin; at < rows.length; at += bins) rows[at] = ((rows[at] ?? 0) - mean) * factor;
  }
}

/** Sample standard deviation of one bin; 0 for a single frame. */
function deviation(rows: Float32Array, bins: number, bin: number, mean: number): number {
  let squares = 0;
  for (let at = bin; at < rows.length; at += bins) squares += ((rows[at] ?? 0) - mean) ** 2;
  return Math.sqrt(squares / Math.max(rows.length / bins - 1, 1));
}
