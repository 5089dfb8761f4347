/** Scores of same-speaker and different-speaker trials; higher means more alike. Neither may be empty. */
export interface Trials {
  readonly targets: readonly number[];
  readonly nontargets: readonly number[];
}

/** Shares in [0, 1]. */
export interface ErrorRates {
  /** False non-matches: targets below the threshold. */
  readonly fnmr: number;
  /** False matches: nontargets at or above it. */
  readonly fmr: number;
}

/** Error rates where a score at or above `threshold` is a match. */
export function errorRatesAt({ targets, nontargets }: Trials, threshold: number): ErrorRates {
  const below = (scores: readonly number[]): number => scores.filter((score) => score < threshold).length;
  return { fnmr: below(targets) / targets.length, fmr: 1 - below(nontargets) / nontargets.length };
}

/** Error rates at every threshold that tells scores apart, from "all match" to "none matches". */
export function operatingPoints({ targets, nontargets }: Trials): readonly ErrorRates[] {
  if (targets.length === 0 || nontargets.length === 0) throw new RangeError('error rates need both kinds of trials');
  const sortedTargets = Float64Array.from(targets).sort();
  const sortedNontargets = Float64Array.from(nontargets).sort();
  const points: ErrorRates[] = [{ fnmr: 0, fmr: 1 }];
  let missed = 0;
  let refused = 0;
  while (missed < targets.length || refused < nontargets.length) {
    const score = Math.min(sortedTargets[missed] ?? Infinity, sortedNontargets[refused] ?? Infinity);
    while (missed < targets.length && (sortedTargets[missed] as number) <= score) missed++;
    while (refused < nontargets.length && (sortedNontargets[refused] as number) <= score) refused++;
    points.push({ fnmr: missed / targets.length, fmr: 1 - refused / nontargets.length });
  }
  return points;
}

/**
 * Equal error rate: where the line through the neighbouring operating points crosses FNMR = FMR (linear interpolation of the
 * empirical curve, not of its convex hull).
 */
export function equalErrorRate(trials: Trials): number {
  const points = operatingPoints(trials);
  const after = points.findIndex((point) => point.fnmr >= point.fmr);
  const right = points[after] as ErrorRates;
  const left = points[after - 1] as ErrorRates;
  const gapLeft = left.fmr - left.fnmr;
  const share = gapLeft / (gapLeft + right.fnmr - right.fmr);
  return left.fnmr + share * (right.fnmr - left.fnmr);
}

/** Expected cost of errors, both costs 1, over that of the better blind answer (so that 1 means: no better than no scores). */
function detectionCost({ fnmr, fmr }: ErrorRates, targetPrior: number): number {
  return (targetPrior * fnmr + (1 - targetPrior) * fmr) / Math.min(targetPrior, 1 - targetPrior);
}

/** Detection cost at the best threshold for a prior of targets in (0, 1). */
export function minDcf(trials: Trials, targetPrior: number): number {
  return operatingPoints(trials).reduce((least, point) => Math.min(least, detectionCost(point, targetPrior)), Infinity);
}

/** Detection cost of natural log-likelihood ratios at Bayes' threshold, −logit(prior). Above minDcf as far as they are miscalibrated. */
export function actDcf(llrs: Trials, targetPrior: number): number {
  return detectionCost(errorRatesAt(llrs, -Math.log(targetPrior / (1 - targetPrior))), targetPrior);
}
