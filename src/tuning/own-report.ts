import type { Calibration } from '../scoring/calibration.js';
import { voiceLlr } from '../scoring/score-voice.js';
import { robustMoments, type FitKind } from './own-fit.js';
import type { OwnTrial } from './own-trials.js';
import { ratesOf, type NamedThreshold, type Rates, type ReportOptions } from './speaker-report.js';

/** Where comparisons of different calls lie, natural log-likelihood ratios. */
export interface Strangers {
  readonly medianLlr: number;
  /** By the median absolute deviation. */
  readonly sdLlr: number;
  /** Share at or above each threshold: an upper bound of the FMR, since some calls are of one caller. */
  readonly above: readonly (NamedThreshold & { readonly share: number })[];
}

/** What adapting changed. */
export interface AdaptReport {
  readonly kind: FitKind;
  readonly calls: number;
  readonly voices: number;
  readonly cohortSize: number;
  /** In [0, 1): how much the calls have in common. */
  readonly centreLength: number;
  /** With names: rates of the calls' own trials under the shipped line (null without one) and, cross-validated, under the new one. */
  readonly rates: { readonly before: Rates | null; readonly after: Rates } | null;
  /** Without names. */
  readonly strangers: { readonly comparisons: number; readonly before: Strangers; readonly after: Strangers } | null;
}

/** The same trials under the shipped scorer and under fits that had seen neither speaker; rates of LLRs. */
export function beforeAndAfter(
  judged: readonly (OwnTrial & { readonly llr: number })[],
  options: Pick<ReportOptions, 'thresholds' | 'rounds'>,
): NonNullable<AdaptReport['rates']> {
  const rates = (llrOf: (trial: (typeof judged)[number]) => number): Rates =>
    ratesOf(
      judged.map((trial) => ({
        model: trial.modelSpeaker,
        modelSpeaker: trial.modelSpeaker,
        testSpeaker: trial.testSpeaker,
        test: trial.test,
        isTarget: trial.isTarget,
        cosine: trial.cosine,
        normalised: trial.score,
        llr: llrOf(trial),
        testNetSpeechSeconds: trial.speech.test.netSpeechSeconds,
        attributes: {},
      })),
      { scores: 'llr', ...options },
    );
  const isKnown = judged.every((trial) => trial.llrBefore !== null);
  return {
    before: isKnown ? rates((trial) => trial.llrBefore as number) : null,
    after: rates((trial) => trial.llr),
  };
}

/** Where strangers lay under the shipped line, and lie under the new one. */
export function strangersBeforeAndAfter(
  trials: readonly OwnTrial[],
  voice: Calibration['voice'],
  thresholds: readonly NamedThreshold[],
): NonNullable<AdaptReport['strangers']> {
  const different = trials.filter((trial) => !trial.isTarget);
  const strangers = (llrs: readonly number[]): Strangers => {
    const { median, sd } = robustMoments(llrs);
    return {
      medianLlr: median,
      sdLlr: sd,
      above: thresholds.map((threshold) => ({
        ...threshold,
        share: llrs.filter((llr) => llr >= threshold.llr).length / llrs.length,
      })),
    };
  };
  return {
    comparisons: different.length,
    before: strangers(different.map((trial) => trial.llrBefore ?? NaN)),
    after: strangers(different.map((trial) => voiceLlr(trial.score, trial.speech, voice))),
  };
}
