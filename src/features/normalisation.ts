import type { FrameNormalisation } from './front-end.js';

/** Added to a standard deviation before dividing by it, as NeMo does. */
const deviationOffset = 1e-5;

/**
 * Normalises frames in place over the utterance.
 * @param rows row-major [frames, bins]; frames may be 0
 * @param kind global-mean: each bin's mean is subtracted; per-feature: also divided by the sample standard deviation (N − 1) + 1e-5
 */
export function normaliseFrames(rows: Float32Array, bins: number, kind: FrameNormalisation): void {
  if (kind === 'none' || rows.length === 0) return;
  const frames = rows.length / bins;
  const mean = columnSums(rows, bins).map((sum) => sum / frames);
  for (let row = 0; row < rows.length; row += bins) {
    for (let bin = 0; bin < bins; bin++) rows[row + bin] = (rows[row + bin] ?? 0) - (mean[bin] ?? 0);
  }
  if (kind === 'global-mean') return;
  const factor = columnSums(
    rows.map((value) => value * value),
    bins,
  ).map((sum) => 1 / (Math.sqrt(sum / Math.max(frames - 1, 1)) + deviationOffset));
  for (let row = 0; row < rows.length; row += bins) {
    for (let bin = 0; bin < bins; bin++) rows[row + bin] = (rows[row + bin] ?? 0) * (factor[bin] ?? 0);
  }
}

function columnSums(rows: Float32Array, bins: number): Float64Array {
  const sums = new Float64Array(bins);
  for (let row = 0; row < rows.length; row += bins) {
    for (let bin = 0; bin < bins; bin++) sums[bin] = (sums[bin] ?? 0) + (rows[row + bin] ?? 0);
  }
  return sums;
}
