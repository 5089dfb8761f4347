/**
 * The generalised Pareto distribution of what exceeds a high level: P(X − u > y | X > u) = (1 + ξ y / σ)^(−1/ξ), e^(−y/σ) at ξ = 0.
 * By the theorem of Pickands, Balkema and de Haan the exceedances of nearly every distribution tend to it as the level rises.
 */
export interface ParetoTail {
  /** u: scores above it are the tail. */
  readonly level: number;
  /** Share of all scores that lie above the level. */
  readonly share: number;
  /** ξ: below 0 the scores have an upper end, 0 falls like an exponential, above 0 like a power. */
  readonly shape: number;
  /** σ, of the score's unit, above 0. */
  readonly scale: number;
  /** Scores above the level. */
  readonly exceedances: number;
}

/** The fit's shape is held within this: beyond ½ its moments do not exist, below −½ neither does the fit's variance. */
const widestShape = 0.5;

/**
 * Fits the tail by probability-weighted moments (Hosking and Wallis 1987): with b0 the mean of the exceedances and b1 the mean of each times the share above it,
 * ξ = 2 − b0 / (b0 − 2 b1), σ = 2 b0 b1 / (b0 − 2 b1).
 * @param scores different speakers', any order
 * @param weights how often each counts; all once when left out
 * @param tailShare share of the scores that is taken for the tail, in (0, 1)
 * @returns null when fewer than `leastExceedances` scores lie above the level or they are all alike
 */
export function fitTail(scores: readonly number[], tailShare: number, weights?: ArrayLike<number>): ParetoTail | null {
  const all = scores
    .map((score, at) => ({ score, weight: weights?.[at] ?? 1 }))
    .filter(({ weight }) => weight > 0)
    .sort((x, y) => y.score - x.score);
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  let inTail = 0;
  let count = 0;
  while (count < all.length && inTail < tailShare * total) inTail += all[count++]!.weight;
  const level = all[count]?.score;
  if (level === undefined) return null;
  // From the highest down: the share of the tail above each.
  let above = 0;
  let mean = 0;
  let weighted = 0;
  for (let at = 0; at < count; at++) {
    const { score, weight } = all[at]!;
    mean += (weight * (score - level)) / inTail;
    weighted += (weight * (score - level) * (above + (weight - 1) / 2)) / inTail / Math.max(1, inTail - 1);
    above += weight;
  }
  if (count < leastExceedances || !(mean > 0)) return null;
  const shape = 2 - mean / (mean - 2 * weighted);
  const held = Math.min(widestShape, Math.max(-widestShape, shape));
  // With the shape held the mean alone gives the scale: E = σ / (1 − ξ).
  const scale = held === shape ? (2 * mean * weighted) / (mean - 2 * weighted) : mean * (1 - held);
  return { level, share: inTail / total, shape: held, scale, exceedances: count };
}

/** Fewer exceedances than this fit nothing. */
export const leastExceedances = 20;

/** Share of different speakers' scores at or above a threshold, by the fitted tail. The threshold lies at or above the level. */
export function tailFmr({ level, share, shape, scale }: ParetoTail, threshold: number): number {
  const y = (threshold - level) / scale;
  if (Math.abs(shape) < 1e-9) return share * Math.exp(-y);
  const inside = 1 + shape * y;
  return inside <= 0 ? 0 : share * inside ** (-1 / shape);
}

/** The threshold that a share of at most `fmr` reaches, by the fitted tail: u + σ/ξ ((fmr / share)^(−ξ) − 1). `fmr` is below the tail's share. */
export function tailThreshold({ level, share, shape, scale }: ParetoTail, fmr: number): number {
  const ratio = fmr / share;
  return Math.abs(shape) < 1e-9 ? level - scale * Math.log(ratio) : level + (scale / shape) * (ratio ** -shape - 1);
}
