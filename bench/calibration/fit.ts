import { heldSeconds } from '../../src/scoring/calibration.js';
import { cllr, minCllr } from '../../src/scoring/cllr.js';
import { equalErrorRate } from '../../src/scoring/error-rates.js';
import { fitLogistic, type LinearLlr } from '../../src/scoring/logistic.js';
import { scoresOf, type ScoredList, type ScoredTrial } from './scored-trials.js';

/** Numbers that a calibration may look at. */
export type Features = (trial: ScoredTrial) => readonly number[];

/** Net speech of the fitting trials lies within this; toLlr holds to it. */
export const secondsRange = { leastSeconds: 1, mostSeconds: 6 };

const logSeconds = (seconds: number): number => Math.log(heldSeconds(seconds, secondsRange));

/** What is fitted: toLlr's form. */
export const adopted: Features = (trial) => [trial.cosine, logSeconds(trial.testNetSpeechSeconds)];

/** What it is compared with by cross-validation. */
export const candidates: Readonly<Record<string, Features>> = {
  cosine: (trial) => [trial.cosine],
  'cosine and test seconds (adopted)': adopted,
  'cosine, test and enrolment seconds': (trial) => [...adopted(trial), Math.log(trial.enrolNetSpeechSeconds)],
};

export const foldCount = 5;

/** Fits on all trials that are kept; every list under every condition counts the same. */
export function fitLists(
  lists: readonly ScoredList[],
  features: Features,
  isKept: (trial: ScoredTrial) => boolean = () => true,
): LinearLlr {
  const groups = lists.map(({ trials }) => {
    const rows = (isTarget: boolean): (readonly number[])[] =>
      trials.filter((trial) => trial.isTarget === isTarget && isKept(trial)).map(features);
    return { targets: rows(true), nontargets: rows(false) };
  });
  return fitLogistic(groups, { prior: 0.5 });
}

/** The fit applied to one trial. */
export function llrOf(fit: LinearLlr, features: Features): (trial: ScoredTrial) => number {
  return (trial) => features(trial).reduce((sum, value, i) => sum + value * (fit.weights[i] as number), fit.offset);
}

/**
 * Cross-validation without a speaker on both sides: trials with both speakers in a fold are judged by a fit on the trials with
 * neither in it. Pooled over the folds.
 */
export function crossValidate(
  lists: readonly ScoredList[],
  features: Features,
): { readonly cllr: number; readonly minCllr: number; readonly eer: number } {
  const foldOf = speakerFolds(lists);
  const judged: { isTarget: boolean; llr: number }[] = [];
  for (let fold = 0; fold < foldCount; fold++) {
    const isIn = (speaker: string): boolean => foldOf.get(speaker) === fold;
    const fit = fitLists(lists, features, (trial) => !isIn(trial.modelSpeaker) && !isIn(trial.testSpeaker));
    const llr = llrOf(fit, features);
    for (const { trials } of lists) {
      for (const trial of trials) {
        if (isIn(trial.modelSpeaker) && isIn(trial.testSpeaker))
          judged.push({ isTarget: trial.isTarget, llr: llr(trial) });
      }
    }
  }
  const of = (isTarget: boolean): number[] => judged.filter((one) => one.isTarget === isTarget).map((one) => one.llr);
  const pooled = { targets: of(true), nontargets: of(false) };
  return { cllr: cllr(pooled), minCllr: minCllr(pooled), eer: equalErrorRate(pooled) };
}

/** The speakers of each list in turn over the folds, so that small lists are in every fold. */
function speakerFolds(lists: readonly ScoredList[]): ReadonlyMap<string, number> {
  const foldOf = new Map<string, number>();
  for (const { trials } of lists) {
    const speakers = new Set(trials.flatMap((trial) => [trial.modelSpeaker, trial.testSpeaker]));
    [...speakers].sort().forEach((speaker, i) => foldOf.set(speaker, i % foldCount));
  }
  return foldOf;
}

/** Mean and standard deviation of the different speakers' LLRs, every list counting the same. */
export function nontargetMoments(
  lists: readonly ScoredList[],
  llr: (trial: ScoredTrial) => number,
): { readonly meanLlr: number; readonly sdLlr: number } {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const perList = lists.map(({ trials }) => scoresOf(trials, llr).nontargets);
  const meanLlr = mean(perList.map(mean));
  const variance = mean(perList.map((values) => mean(values.map((value) => (value - meanLlr) ** 2))));
  return { meanLlr, sdLlr: Math.sqrt(variance) };
}
