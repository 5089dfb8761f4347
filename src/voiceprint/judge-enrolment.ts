import { cosine, weightedMean } from '../scoring/cosine.js';

/** One accepted utterance. */
export interface EnrolledUtterance {
  /** Any length; compared and averaged by direction. */
  readonly vector: Float32Array;
  readonly netSpeechSeconds: number;
}

/** What a voiceprint needs; a policy document fits. */
export interface EnrolmentNeeds {
  readonly enrolment: {
    readonly utterances: number;
    readonly netSpeechSeconds: number;
    /** Every pair of utterances must reach this cosine. */
    readonly selfConsistencyCosine: number;
  };
}

/** How far an enrolment has come, to be told after each utterance. */
export interface EnrolmentProgress {
  readonly utterances: number;
  readonly netSpeechSeconds: number;
  /** What is still wanted; zero where enough. */
  readonly missing: { readonly utterances: number; readonly netSpeechSeconds: number };
}

/** Closed union: a voiceprint, more speech wanted, or more than one voice. */
export type EnrolmentJudgement =
  | {
      readonly kind: 'complete';
      /** Mean of the utterances' directions weighted by net speech seconds, unit length. */
      readonly vector: Float32Array;
      readonly netSpeechSeconds: number;
      /** Smallest cosine between two utterances. */
      readonly leastCosine: number;
    }
  | ({ readonly kind: 'incomplete' } & EnrolmentProgress)
  | {
      readonly kind: 'inconsistent';
      readonly pairsBelow: number;
      readonly leastCosine: number;
      /** Position of the utterance that is least like the others: the one to say again. */
      readonly oddOneOut: number;
    };

/** Counts what is there against what is needed. */
export function enrolmentProgress(
  utterances: readonly EnrolledUtterance[],
  { enrolment }: EnrolmentNeeds,
): EnrolmentProgress {
  const netSpeechSeconds = utterances.reduce((sum, utterance) => sum + utterance.netSpeechSeconds, 0);
  return {
    utterances: utterances.length,
    netSpeechSeconds,
    missing: {
      utterances: Math.max(0, enrolment.utterances - utterances.length),
      netSpeechSeconds: Math.max(0, enrolment.netSpeechSeconds - netSpeechSeconds),
    },
  };
}

/**
 * Makes a voiceprint of accepted utterances if there is enough speech of one voice throughout.
 * @param utterances in any order, vectors of one model
 */
export function judgeEnrolment(utterances: readonly EnrolledUtterance[], needs: EnrolmentNeeds): EnrolmentJudgement {
  const progress = enrolmentProgress(utterances, needs);
  if (progress.missing.utterances > 0 || progress.missing.netSpeechSeconds > 0)
    return { kind: 'incomplete', ...progress };
  const vectors = utterances.map((utterance) => utterance.vector);
  const likeness = vectors.map((a, i) => vectors.filter((_, j) => j !== i).map((b) => cosine(a, b)));
  const pairs = vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => cosine(a, b)));
  const leastCosine = Math.min(...pairs);
  const pairsBelow = pairs.filter((value) => !(value >= needs.enrolment.selfConsistencyCosine)).length;
  if (pairsBelow > 0) {
    const means = likeness.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
    return { kind: 'inconsistent', pairsBelow, leastCosine, oddOneOut: means.indexOf(Math.min(...means)) };
  }
  return {
    kind: 'complete',
    vector: meanOf(utterances),
    netSpeechSeconds: progress.netSpeechSeconds,
    leastCosine,
  };
}

/** The mean of the utterances' directions weighted by net speech seconds, unit length. @param utterances at least one */
export function meanOf(utterances: readonly EnrolledUtterance[]): Float32Array {
  return weightedMean(
    utterances.map(({ vector }) => vector),
    utterances.map(({ netSpeechSeconds }) => netSpeechSeconds),
  );
}
