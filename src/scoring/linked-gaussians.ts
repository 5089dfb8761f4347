import type { Trials } from './error-rates.js';
import type { LinearLlr } from './logistic.js';

/**
 * Calibration in closed form, for few trials (van Leeuwen and Brümmer 2013): if the LLRs of different speakers are Gaussian, those of
 * same speakers are too, with the opposite mean and the same variance, twice the mean. So scores of both kinds are taken as Gaussians of one
 * variance v: llr = (µt − µn) / v · score − (µt² − µn²) / (2 v). Two means and a variance are all that is estimated: it varies less than
 * logistic regression where targets are few, and is beaten by it where the scores are far from Gaussian.
 * @param options.prior weight of the targets' variance in v, in (0, 1)
 * @returns one weight, for the score
 * @throws RangeError with fewer than two trials of a kind, equal scores, or targets that do not score higher than nontargets
 */
export function fitLinkedGaussians({ targets, nontargets }: Trials, { prior }: { readonly prior: number }): LinearLlr {
  if (targets.length < 2 || nontargets.length < 2)
    throw new RangeError('linked Gaussians need two trials of each kind');
  const target = moments(targets);
  const nontarget = moments(nontargets);
  const variance = prior * target.variance + (1 - prior) * nontarget.variance;
  const scale = (target.mean - nontarget.mean) / variance;
  if (!(scale > 0 && Number.isFinite(scale))) {
    throw new RangeError('linked Gaussians need targets that score higher than nontargets, and scores that vary');
  }
  return { weights: [scale], offset: (-scale * (target.mean + nontarget.mean)) / 2 };
}

/** Mean, and variance divided by one less than the number. */
function moments(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}
