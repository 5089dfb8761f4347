import { cllr, minCllr } from '../scoring/cllr.js';
import { actDcf, errorRatesAt, type Trials } from '../scoring/error-rates.js';
import { bootstrap, groupNumbers, usualRounds, type Interval } from './bootstrap.js';
import type { ScoredList, ScoredTrial } from './score-trials.js';
import { SortedTrials, type CurveRates } from './sorted-trials.js';
import { groupsOf } from './trial-groups.js';

/** Which score the rates are of: the cosine as it is, normalised by a cohort, or calibrated. */
export type ScoreKind = 'cosine' | 'asnorm' | 'llr';

/** A threshold of a policy on the voice's natural log-likelihood ratio. */
export interface NamedThreshold {
  readonly name: string;
  readonly llr: number;
}

/** Rates of one set of trials, shares in [0, 1]; null where there is nothing to measure them on. */
export interface Rates {
  readonly targets: number;
  readonly nontargets: number;
  readonly eer: number | null;
  readonly eerInterval: Interval | null;
  readonly minDcf01: number | null;
  readonly minDcf01Interval: Interval | null;
  readonly minDcf001: number | null;
  readonly minDcf001Interval: Interval | null;
  /** Detection costs of the LLRs at Bayes' threshold; null without calibration. */
  readonly actDcf01: number | null;
  readonly actDcf001: number | null;
  /** Of the LLRs, bits; null without calibration. */
  readonly cllr: number | null;
  /** Of the LLRs, or without calibration of the scores. */
  readonly minCllr: number | null;
  /** At each threshold of the policy, voice alone. */
  readonly thresholds: readonly (NamedThreshold & {
    readonly fmr: number;
    readonly fmrInterval: Interval | null;
    readonly fnmr: number;
    readonly fnmrInterval: Interval | null;
  })[];
}

/** Rates of a list, what could not be heard of it, and the same rates of groups of its trials. */
export interface SpeakerListReport extends Rates {
  readonly name: string;
  readonly models: number;
  readonly tests: number;
  /** Recordings with too little speech: share of the tests, and counts. Their trials are in no rate. */
  readonly failureToAcquire: number;
  readonly notAcquired: ScoredList['notAcquired'];
  readonly groups: readonly (Rates & { readonly by: string; readonly value: string })[];
}

/** How a report is made. */
export interface ReportOptions {
  readonly scores: ScoreKind;
  readonly thresholds: readonly NamedThreshold[];
  /** Draws of the bootstrap; 0 leaves the intervals out. */
  readonly rounds?: number;
  readonly seed?: number;
}

/**
 * Reports one list.
 * @throws RangeError when `scores` names a kind that the trials lack
 */
export function reportList(list: ScoredList, options: ReportOptions): SpeakerListReport {
  return { name: list.name, ...reportTrials(list, options) };
}

function reportTrials(list: Omit<ScoredList, 'name'>, options: ReportOptions): Omit<SpeakerListReport, 'name'> {
  const { models, tests, notAcquired } = list;
  return {
    ...ratesOf(list.trials, options),
    models,
    tests,
    failureToAcquire: tests === 0 ? 0 : notAcquired.tests / tests,
    notAcquired,
    groups: groupsOf(list.trials).map(({ by, value, trials }) => ({ by, value, ...ratesOf(trials, options) })),
  };
}

/** Reports all trials of several lists thrown together, with one threshold for all. */
export function reportPooled(lists: readonly ScoredList[], options: ReportOptions): Omit<SpeakerListReport, 'name'> {
  const sum = (of: (list: ScoredList) => number): number => lists.reduce((total, list) => total + of(list), 0);
  return reportTrials(
    {
      trials: lists.flatMap((list) => list.trials),
      models: sum((list) => list.models),
      tests: sum((list) => list.tests),
      notAcquired: {
        models: sum((list) => list.notAcquired.models),
        tests: sum((list) => list.notAcquired.tests),
        trials: sum((list) => list.notAcquired.trials),
      },
    },
    options,
  );
}

/** The score of that kind. @throws RangeError where the trial lacks it */
export function scoreOf(trial: ScoredTrial, kind: ScoreKind): number {
  const score = kind === 'cosine' ? trial.cosine : kind === 'llr' ? trial.llr : trial.normalised;
  if (score === null) throw new RangeError(`the trials have no ${kind} scores`);
  return score;
}

/** Splits numbers by the kind of their trial. */
export function byKind(trials: readonly ScoredTrial[], of: (trial: ScoredTrial) => number): Trials {
  const targets: number[] = [];
  const nontargets: number[] = [];
  for (const trial of trials) (trial.isTarget ? targets : nontargets).push(of(trial));
  return { targets, nontargets };
}

/** Rates of trials; intervals by bootstrap over models. */
export function ratesOf(trials: readonly ScoredTrial[], options: ReportOptions): Rates {
  const { rounds = usualRounds, seed = 1 } = options;
  const scores = byKind(trials, (trial) => scoreOf(trial, options.scores));
  const counts = { targets: scores.targets.length, nontargets: scores.nontargets.length };
  if (counts.targets === 0 || counts.nontargets === 0) return { ...counts, ...nothing };
  const llrs = trials.every((trial) => trial.llr !== null) ? byKind(trials, (trial) => trial.llr as number) : null;
  const sorted = new SortedTrials(trials.map((trial) => ({ score: scoreOf(trial, options.scores), ...trial })));
  const whole = sorted.rates(new Float64Array(trials.length).fill(1)) as CurveRates;
  const { numbers, count } = groupNumbers(trials.map((trial) => trial.model));
  const groups = { first: numbers[0] as number[], count };
  const intervals = rounds > 0 ? bootstrap(groups, (weights) => sorted.rates(weights), { rounds, seed }) : null;
  return {
    ...counts,
    eer: whole.eer,
    eerInterval: intervals?.eer ?? null,
    minDcf01: whole.minDcf01,
    minDcf01Interval: intervals?.minDcf01 ?? null,
    minDcf001: whole.minDcf001,
    minDcf001Interval: intervals?.minDcf001 ?? null,
    actDcf01: llrs && actDcf(llrs, 0.01),
    actDcf001: llrs && actDcf(llrs, 0.001),
    cllr: llrs && cllr(llrs),
    minCllr: minCllr(llrs ?? scores),
    thresholds:
      llrs === null
        ? []
        : options.thresholds.map((threshold) => {
            const below = trials.map((trial) => (trial.llr as number) < threshold.llr);
            const at = errorRatesAt(llrs, threshold.llr);
            const drawn = rounds > 0 ? bootstrap(groups, ratesAt(trials, below), { rounds, seed }) : null;
            return {
              ...threshold,
              ...at,
              fmrInterval: drawn?.fmr ?? null,
              fnmrInterval: drawn?.fnmr ?? null,
            };
          }),
  };
}

const nothing: Omit<Rates, 'targets' | 'nontargets'> = {
  eer: null,
  eerInterval: null,
  minDcf01: null,
  minDcf01Interval: null,
  minDcf001: null,
  minDcf001Interval: null,
  actDcf01: null,
  actDcf001: null,
  cllr: null,
  minCllr: null,
  thresholds: [],
};

function ratesAt(
  trials: readonly ScoredTrial[],
  below: readonly boolean[],
): (weights: Float64Array) => { fmr: number; fnmr: number } | null {
  return (weights) => {
    let [targets, missed, nontargets, matched] = [0, 0, 0, 0];
    trials.forEach(({ isTarget }, at) => {
      const weight = weights[at]!;
      if (isTarget) {
        targets += weight;
        if (below[at]) missed += weight;
      } else {
        nontargets += weight;
        if (!below[at]) matched += weight;
      }
    });
    return targets > 0 && nontargets > 0 ? { fmr: matched / nontargets, fnmr: missed / targets } : null;
  };
}
