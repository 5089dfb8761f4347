import type { Calibration } from '../scoring/calibration.js';
import { fitVoice, type CrossValidated, type HeldMeasure } from '../scoring/fit-voice.js';
import { fitLinkedGaussians } from '../scoring/linked-gaussians.js';
import { voiceLlr, type Scorer } from '../scoring/score-voice.js';
import { fewestRepeated, type OwnTrial } from './own-trials.js';
import type { OwnVoice } from './own-voices.js';

/** How a line was come by: by names and many comparisons, by names and few, without names. */
export type FitKind = 'labelled' | 'few labels' | 'unlabelled';

/** A line with what a calibration says about it. */
export interface OwnFit {
  readonly kind: FitKind;
  readonly voice: Calibration['voice'];
  readonly nontarget: Calibration['nontarget'];
  /** Null where nothing says who speaks. */
  readonly crossValidation: CrossValidated | null;
  readonly notes: readonly string[];
}

/** Callers who called twice, and comparisons of a caller with himself, from which a logistic regression is fitted; and the least for any fit. */
const manyLabels = { voices: 50, targets: 100 };
const fewLabels = { voices: fewestRepeated, targets: 20 };
const folds = 5;

/** The fit that the names allow; null where they allow none. */
export function fitterFor(
  trials: readonly OwnTrial[],
  voices: readonly OwnVoice[],
): { readonly kind: FitKind; readonly folds: number; readonly fit: typeof fitVoice } | null {
  const repeated = voices.filter(({ isNamed, calls }) => isNamed && calls.length > 1).length;
  const targets = trials.filter((trial) => trial.isTarget).length;
  if (repeated >= manyLabels.voices && targets >= manyLabels.targets) return { kind: 'labelled', folds, fit: fitVoice };
  if (repeated >= fewLabels.voices && targets >= fewLabels.targets)
    return { kind: 'few labels', folds, fit: fitLinked };
  return null;
}

/** `fitVoice` in closed form, over the score alone. @throws RangeError as `fitLinkedGaussians` does */
const fitLinked: typeof fitVoice = (groups, _, isKept = () => true) => {
  const kept = groups.flatMap(({ trials }) => trials.filter(isKept));
  const of = (isTarget: boolean): number[] =>
    kept.filter((trial) => trial.isTarget === isTarget).map((trial) => trial.score);
  const { weights, offset } = fitLinkedGaussians({ targets: of(true), nontargets: of(false) }, { prior: 0.5 });
  return { scale: weights[0] as number, offset, measures: [] };
};

/** The measures that the shipped line looks at; with few labels none, and without a shipped line the seconds of the test, as far as the calls reach. */
export function measuresOf(trials: readonly OwnTrial[], shipped: Scorer | null, kind: FitKind): readonly HeldMeasure[] {
  if (kind === 'few labels') return [];
  if (shipped !== null) {
    return shipped.calibration.voice.measures.map(({ name, least, most }) => ({ name, least, most }));
  }
  const seconds = trials.map((trial) => trial.speech.test.netSpeechSeconds).sort((a, b) => a - b);
  const at = (share: number): number => Math.log(seconds[Math.floor(share * (seconds.length - 1))] ?? 1);
  return [{ name: 'ln-test-seconds', least: at(0.05), most: at(0.95) }];
}

/** Beyond this the calls are too unlike what the line was fitted on to be stretched to it. */
const mostStretch = 2;

/**
 * The shipped line, moved and stretched so that strangers lie where they lay when it was fitted.
 * @param strangers comparisons of different calls, scored with the new cohort
 */
export function likeShipped(strangers: readonly OwnTrial[], shipped: Calibration): OwnFit {
  const { voice, nontarget } = shipped;
  const { median, sd } = robustMoments(strangers.map((trial) => voiceLlr(trial.score, trial.speech, voice)));
  const stretch = Math.min(mostStretch, Math.max(1 / mostStretch, nontarget.sdLlr / sd));
  const shift = nontarget.meanLlr - stretch * median;
  return {
    kind: 'unlabelled',
    voice: {
      scale: stretch * voice.scale,
      offset: stretch * voice.offset + shift,
      measures: voice.measures.map((measure) => ({ ...measure, weight: stretch * measure.weight })),
    },
    nontarget: { meanLlr: nontarget.meanLlr, sdLlr: stretch * sd },
    crossValidation: null,
    notes: [
      'Fitted without names: strangers were put where they lay when the shipped line was fitted; how own callers score was not measured.',
    ],
  };
}

/** Median, and 1.4826 times the median absolute deviation: the standard deviation of a Gaussian (Rousseeuw and Croux 1993). */
export function robustMoments(values: readonly number[]): { readonly median: number; readonly sd: number } {
  const median = middle(values);
  return { median, sd: 1.4826 * middle(values.map((value) => Math.abs(value - median))) };
}

function middle(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? NaN) + (sorted[Math.floor(half)] ?? NaN)) / 2;
}
