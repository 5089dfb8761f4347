import { bootstrap, groupNumbers, usualRounds, type Interval } from './bootstrap.js';
import { fitTail, tailThreshold, type ParetoTail } from './tail.js';

/** A comparison's score with who was compared. */
export interface SpeakerScore {
  readonly modelSpeaker: string;
  readonly testSpeaker: string;
  readonly isTarget: boolean;
  readonly score: number;
}

/** A threshold with what it costs. */
export interface ThresholdEstimate {
  /** Of the scores' kind; a score at or above it is a match. */
  readonly threshold: number;
  readonly thresholdInterval: Interval | null;
  /** Share of same-speaker trials below the threshold. */
  readonly fnmr: number;
  /** Holds the uncertainty of the threshold too. */
  readonly fnmrInterval: Interval | null;
}

/** What the trials say about a wanted false match rate. */
export interface ThresholdChoice {
  /** Wanted false match rate, share. */
  readonly fmr: number;
  /** Pairs of different speakers that were compared: trials of one pair are no independent evidence. */
  readonly pairs: number;
  /** Rule of three: with no false match in n independent trials, 95 % sure is only that the rate is below 3/n. */
  readonly pairsNeeded: number;
  /** Whether the pairs can support a claim of this rate. Where not, `empirical` is no evidence and `extreme` an extrapolation. */
  readonly supported: boolean;
  /** Lowest threshold that at most the wanted share of the nontarget trials reaches; above all of them where that is none. */
  readonly empirical: ThresholdEstimate;
  /** Extreme-value estimate out of the shape of the nontargets' tail; null where there are too few scores to fit one. */
  readonly extreme: (ThresholdEstimate & { readonly tail: ParetoTail }) | null;
}

/** How thresholds are estimated. */
export interface ThresholdOptions {
  /** Draws of the bootstrap; 0 leaves the intervals out. */
  readonly rounds?: number;
  readonly seed?: number;
  /** Share of the nontarget scores that is taken for the tail; at least twice the wanted rate is used. */
  readonly tailShare?: number;
}

/** The highest twentieth: enough scores to fit, few enough to be a tail. */
const usualTailShare = 0.05;

/**
 * From a wanted false match rate to a threshold. Intervals are 95 %, by a bootstrap that draws speakers, on both sides of a trial (Owen's
 * pigeonhole bootstrap): wider than the truth where speakers hardly matter, never as narrow as if all trials were independent.
 * @param fmr in (0, 0.5)
 * @throws RangeError for another rate or when a kind of trial is missing
 */
export function chooseThreshold(
  trials: readonly SpeakerScore[],
  fmr: number,
  options: ThresholdOptions = {},
): ThresholdChoice {
  if (!(fmr > 0 && fmr < 0.5)) throw new RangeError(`a false match rate of ${fmr}: between 0 and 0.5`);
  const { rounds = usualRounds, seed = 1 } = options;
  const tailShare = Math.max(2 * fmr, options.tailShare ?? usualTailShare);
  const sorted = [...trials].sort((a, b) => b.score - a.score);
  const targets = sorted.map((trial) => (trial.isTarget ? 1 : 0));
  const scores = sorted.map((trial) => trial.score);
  const nontargetAt = sorted.flatMap((trial, at) => (trial.isTarget ? [] : [at]));
  const nontargetScores = nontargetAt.map((at) => scores[at]!);
  const ones = new Float64Array(sorted.length).fill(1);

  const fnmrAt = (threshold: number, weights: Float64Array): number => {
    let [missed, all] = [0, 0];
    for (let at = 0; at < scores.length; at++) {
      if (targets[at] === 0) continue;
      all += weights[at]!;
      if (scores[at]! < threshold) missed += weights[at]!;
    }
    return missed / all;
  };
  const tailOf = (weights: Float64Array): ParetoTail | null =>
    fitTail(
      nontargetScores,
      tailShare,
      nontargetAt.map((at) => weights[at]!),
    );
  const measure = (weights: Float64Array): Readonly<Record<Measured, number>> | null => {
    const threshold = empiricalThreshold(scores, targets, weights, fmr);
    if (threshold === null) return null;
    const fnmr = fnmrAt(threshold, weights);
    if (Number.isNaN(fnmr)) return null;
    const tail = tailOf(weights);
    // A draw whose tail cannot be fitted still counts for the empirical half: its own threshold stands in.
    const extreme = tail === null ? threshold : tailThreshold(tail, fmr);
    return { threshold, fnmr, extreme, extremeFnmr: fnmrAt(extreme, weights) };
  };

  const whole = measure(ones);
  if (whole === null) throw new RangeError('a threshold needs both kinds of trials');
  const { numbers, count } = groupNumbers(
    sorted.map((trial) => trial.modelSpeaker),
    sorted.map((trial) => trial.testSpeaker),
  );
  const groups = { first: numbers[0] as number[], second: numbers[1] as number[], count };
  const drawn = rounds > 0 ? bootstrap(groups, measure, { rounds, seed }) : null;
  const tail = tailOf(ones);
  const pairs = speakerPairs(trials);
  const pairsNeeded = Math.ceil(3 / fmr);
  return {
    fmr,
    pairs,
    pairsNeeded,
    supported: pairs >= pairsNeeded,
    empirical: {
      threshold: whole.threshold,
      thresholdInterval: drawn?.threshold ?? null,
      fnmr: whole.fnmr,
      fnmrInterval: drawn?.fnmr ?? null,
    },
    extreme: tail && {
      threshold: whole.extreme,
      thresholdInterval: drawn?.extreme ?? null,
      fnmr: whole.extremeFnmr,
      fnmrInterval: drawn?.extremeFnmr ?? null,
      tail,
    },
  };
}

type Measured = 'threshold' | 'fnmr' | 'extreme' | 'extremeFnmr';

/** Unordered pairs of different speakers with a nontarget trial. */
export function speakerPairs(trials: readonly SpeakerScore[]): number {
  const pairs = new Set<string>();
  for (const { modelSpeaker, testSpeaker, isTarget } of trials) {
    if (!isTarget) pairs.add([modelSpeaker, testSpeaker].sort().join('\n'));
  }
  return pairs.size;
}

/**
 * Half way between the last nontarget score that may match and the next below it; a hair above the highest where none may.
 * @param scores descending
 * @returns null without nontargets of any weight
 */
function empiricalThreshold(
  scores: readonly number[],
  targets: readonly number[],
  weights: Float64Array,
  fmr: number,
): number | null {
  let total = 0;
  for (let at = 0; at < scores.length; at++) if (targets[at] === 0) total += weights[at]!;
  let matched = 0;
  let lastMatch: number | null = null;
  for (let at = 0; at < scores.length; at++) {
    if (targets[at] === 1 || weights[at] === 0) continue;
    const score = scores[at]!;
    matched += weights[at]!;
    if (matched > fmr * total) {
      return lastMatch === null || lastMatch === score
        ? score + hair * Math.max(1, Math.abs(score))
        : (lastMatch + score) / 2;
    }
    lastMatch = score;
  }
  return null;
}

const hair = 1e-9;
