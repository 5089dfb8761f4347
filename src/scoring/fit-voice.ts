import type { Calibration } from './calibration.js';
import { cllr, minCllr } from './cllr.js';
import { equalErrorRate, type Trials } from './error-rates.js';
import { fitLogistic } from './logistic.js';
import { held, measureOf, voiceLlr, type MeasuredSpeech } from './score-voice.js';

/** One comparison with its score: what the line of a calibration is fitted to. */
export interface ScoredTrial {
  readonly modelSpeaker: string;
  readonly testSpeaker: string;
  readonly isTarget: boolean;
  /** Cosine, or what score normalisation made of it. */
  readonly score: number;
  readonly speech: MeasuredSpeech;
}

/** Trials of one kind: a list under one condition. */
export interface ScoredGroup {
  readonly source: string;
  readonly condition: string;
  readonly trials: readonly ScoredTrial[];
}

/** A quality measure and the range beyond which its line is not drawn on. */
export type HeldMeasure = Omit<Calibration['voice']['measures'][number], 'weight'>;

type Voice = Calibration['voice'];

/**
 * The line over score and measures with the least Cllr, each group counting the same: pooled, the largest list would set the scale for all.
 * @throws RangeError when a group lacks targets or nontargets
 */
export function fitVoice(
  groups: readonly ScoredGroup[],
  measures: readonly HeldMeasure[],
  isKept: (trial: ScoredTrial) => boolean = () => true,
): Voice {
  const featuresOf = ({ score, speech }: ScoredTrial): number[] => [
    score,
    ...measures.map(({ name, least, most }) => held(measureOf[name](speech), least, most)),
  ];
  const rows = groups.map(({ trials }) => {
    const of = (isTarget: boolean): number[][] =>
      trials.filter((trial) => trial.isTarget === isTarget && isKept(trial)).map(featuresOf);
    return { targets: of(true), nontargets: of(false) };
  });
  const { weights, offset } = fitLogistic(rows, { prior: 0.5 });
  const [scale = NaN, ...rest] = weights;
  return { scale, offset, measures: measures.map((measure, i) => ({ ...measure, weight: rest[i] ?? NaN })) };
}

/** What cross-validation found. */
export interface CrossValidated {
  readonly folds: number;
  /** Mean over the groups of each one's Cllr, bits. */
  readonly cllr: number;
  /** Mean over the groups of the least Cllr that a monotone map of its own would give: what is left to calibration is the difference. */
  readonly minCllr: number;
  /** Of all LLRs thrown together. */
  readonly eer: number;
}

export const folds = 5;

/**
 * Trials with both speakers in a fold are judged by a fit on the trials with neither in it.
 * @param fit makes a line of the trials it is told to keep
 */
export function crossValidate(
  groups: readonly ScoredGroup[],
  measures: readonly HeldMeasure[],
  fit: typeof fitVoice = fitVoice,
): CrossValidated {
  const across = judgeAcross(groups, measures, fit);
  const judged = across.map((trials): Trials => {
    const of = (isTarget: boolean): number[] =>
      trials.filter(({ trial }) => trial.isTarget === isTarget).map(({ llr }) => llr);
    return { targets: of(true), nontargets: of(false) };
  });
  const pooled = {
    targets: judged.flatMap(({ targets }) => targets),
    nontargets: judged.flatMap(({ nontargets }) => nontargets),
  };
  return {
    folds,
    cllr: mean(judged.map(cllr)),
    minCllr: mean(judged.map(minCllr)),
    eer: equalErrorRate(pooled),
  };
}

/** For each group, the trials that cross-validation judges and what it says of them: each by a fit that has seen neither speaker. */
export function judgeAcross<T extends ScoredTrial>(
  groups: readonly (Omit<ScoredGroup, 'trials'> & { readonly trials: readonly T[] })[],
  measures: readonly HeldMeasure[],
  fit: typeof fitVoice = fitVoice,
): readonly (readonly { readonly trial: T; readonly llr: number }[])[] {
  const foldOf = speakerFolds(groups);
  const fits = Array.from({ length: folds }, (_, fold) =>
    fit(
      groups,
      measures,
      ({ modelSpeaker, testSpeaker }) => foldOf.get(modelSpeaker) !== fold && foldOf.get(testSpeaker) !== fold,
    ),
  );
  return groups.map(({ trials }) =>
    trials
      .filter(({ modelSpeaker, testSpeaker }) => foldOf.get(modelSpeaker) === foldOf.get(testSpeaker))
      .map((trial) => ({
        trial,
        llr: voiceLlr(trial.score, trial.speech, fits[foldOf.get(trial.modelSpeaker) ?? 0] as Voice),
      })),
  );
}

/** The LLRs of trials by kind. */
export function llrsOf(trials: readonly ScoredTrial[], voiceFor: (trial: ScoredTrial) => Voice): Trials {
  const of = (isTarget: boolean): number[] =>
    trials
      .filter((trial) => trial.isTarget === isTarget)
      .map((trial) => voiceLlr(trial.score, trial.speech, voiceFor(trial)));
  return { targets: of(true), nontargets: of(false) };
}

/** Mean and standard deviation of the different speakers' LLRs, every group counting the same. */
export function nontargetMoments(groups: readonly ScoredGroup[], voice: Voice): Calibration['nontarget'] {
  const perGroup = groups.map(({ trials }) => llrsOf(trials, () => voice).nontargets);
  const meanLlr = mean(perGroup.map(mean));
  const variance = mean(perGroup.map((llrs) => mean(llrs.map((llr) => (llr - meanLlr) ** 2))));
  return { meanLlr, sdLlr: Math.sqrt(variance) };
}

/** The speakers of each group in turn over the folds, so that small groups are in every fold. */
export function speakerFolds(groups: readonly ScoredGroup[]): ReadonlyMap<string, number> {
  const foldOf = new Map<string, number>();
  for (const { trials } of groups) {
    const speakers = new Set(trials.flatMap((trial) => [trial.modelSpeaker, trial.testSpeaker]));
    [...speakers].sort().forEach((speaker, i) => foldOf.set(speaker, i % folds));
  }
  return foldOf;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
