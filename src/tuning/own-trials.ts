import { asNorm, cohortStatistics, type CohortStatistics } from '../scoring/as-norm.js';
import { centred, type Cohort } from '../scoring/cohort.js';
import { cosine, weightedMean } from '../scoring/cosine.js';
import type { ScoredTrial } from '../scoring/fit-voice.js';
import { voiceLlr, type Scorer, type VoiceComparison } from '../scoring/score-voice.js';
import type { OwnVoice } from './own-voices.js';

/** A comparison of the operator's calls, under the new cohort and under the scorer that came with the model. */
export interface OwnTrial extends ScoredTrial {
  readonly test: string;
  readonly cosine: number;
  /** What the model's own calibration says; null where it has none. */
  readonly llrBefore: number | null;
}

/** Most calls that one voice is enrolled with, as a policy asks for. */
const mostEnrolled = 3;
/** Most comparisons: more would not move the figures, and take minutes. */
const mostTrials = 40_000;

/** Voices with two calls or more from which comparisons of a voice with itself are worth fitting to. */
export const fewestRepeated = 20;

/**
 * Every voice that has two calls or more is enrolled with half of them, at most three; every other call is tried against every enrolment. Where fewer
 * than `fewestRepeated` voices have two, every voice is enrolled and tried against the others: comparisons of different
 * callers, but for those who called twice.
 * @param norm the new cohort and how many of it are looked at
 * @param shipped the model's own scorer, for what was said before
 */
export function ownTrials(
  voices: readonly OwnVoice[],
  norm: { readonly cohort: Cohort; readonly topN: number },
  shipped: Scorer | null,
): readonly OwnTrial[] {
  const repeated = voices.filter(({ calls }) => calls.length > 1);
  const isRepeated = repeated.length >= fewestRepeated;
  const enrolled = (isRepeated ? repeated : voices).map(({ name, calls }) => {
    const own = calls.slice(0, Math.min(mostEnrolled, Math.ceil(calls.length / 2)));
    const seconds = own.map((call) => call.netSpeechSeconds);
    const vector = weightedMean(
      own.map((call) => call.vector),
      seconds,
    );
    const netSpeechSeconds = seconds.reduce((sum, value) => sum + value, 0);
    return { name, used: new Set(own.map((call) => call.id)), vector, netSpeechSeconds };
  });
  const isUsed = new Set(isRepeated ? enrolled.flatMap(({ used }) => [...used]) : []);
  const tests = voices.flatMap(({ name, calls }) =>
    calls.filter(({ id }) => !isUsed.has(id)).map((call) => ({ name, call })),
  );
  const sides = [norm, shippedNorm(shipped)].map((one) => one && sidesOf(one));
  // Same-voice comparisons are all kept; of the many others every so manieth.
  const step = Math.ceil((enrolled.length * tests.length) / mostTrials);
  let other = 0;
  return enrolled.flatMap((model) =>
    tests.flatMap(({ name, call }): OwnTrial[] => {
      const isTarget = name === model.name;
      if (model.used.has(call.id) || (!isTarget && other++ % step !== 0)) return [];
      const comparison: VoiceComparison = { enrolment: model, test: call };
      const [score, scoreBefore] = sides.map((one) => one?.(model.vector, call.vector));
      return [
        {
          modelSpeaker: model.name,
          testSpeaker: name,
          test: call.id,
          isTarget,
          cosine: cosine(model.vector, call.vector),
          score: score as number,
          speech: comparison,
          llrBefore:
            shipped === null
              ? null
              : voiceLlr(scoreBefore ?? cosine(model.vector, call.vector), comparison, shipped.calibration.voice),
        },
      ];
    }),
  );
}

function shippedNorm(shipped: Scorer | null): { cohort: Cohort; topN: number } | null {
  if (shipped === null || shipped.cohort === null || shipped.calibration.normalisation.kind === 'none') return null;
  return { cohort: shipped.cohort, topN: shipped.calibration.normalisation.topN };
}

/** `normalisedScore` of scoring/score-voice.ts with each voice's statistics worked out once. */
function sidesOf({ cohort, topN }: { cohort: Cohort; topN: number }): (a: Float32Array, b: Float32Array) => number {
  const known = new Map<Float32Array, { vector: Float32Array; statistics: CohortStatistics }>();
  const side = (raw: Float32Array): { vector: Float32Array; statistics: CohortStatistics } => {
    let found = known.get(raw);
    if (found === undefined) {
      const vector = centred(raw, cohort.centre);
      found = { vector, statistics: cohortStatistics(vector, cohort, topN) };
      known.set(raw, found);
    }
    return found;
  };
  return (a, b) => {
    const [one, other] = [side(a), side(b)];
    return asNorm(cosine(one.vector, other.vector), one.statistics, other.statistics);
  };
}
