import { asNorm, cohortStatistics, type CohortStatistics } from '../../src/scoring/as-norm.js';
import type { Cohort } from '../../src/scoring/cohort.js';
import { cosine, weightedMean } from '../../src/scoring/cosine.js';
import type { ScoredGroup, ScoredTrial } from '../../src/scoring/fit-voice.js';
import type { PreparedList } from './prepared.js';

/** A comparison with what the reports ask beside its score. */
export interface ListedTrial extends ScoredTrial {
  readonly test: string;
  readonly cosine: number;
  readonly enrolUtterances: number;
}

/** All trials of a list under one condition, scored. */
export interface ScoredList extends ScoredGroup {
  readonly trials: readonly ListedTrial[];
  /** Models and tests without enough speech to embed: failures to acquire, in no error rate. */
  readonly unheard: number;
  /** The vectors of each model's utterances, for the choice of the self-consistency. */
  readonly enrolments: readonly (readonly Float32Array[])[];
}

/** How cosines are normalised; null: they are the score. */
export interface Norm {
  readonly cohort: Cohort;
  readonly topN: number;
}

/** Embeddings of a list's pieces by id; those with too little speech are missing. */
export type Embedded = ReadonlyMap<string, Float32Array>;

/** Compares as the service does: a model is the mean of its utterances' directions weighted by net speech seconds. */
export function scoreList(list: PreparedList, embedded: Embedded, norm: Norm | null): ScoredList {
  const { source, condition, pieces, trials } = list;
  const pieceOf = new Map(pieces.map((piece) => [piece.id, piece]));
  const sideOf = (vector: Float32Array): CohortStatistics =>
    norm === null ? { mean: 0, sd: 1 } : cohortStatistics(vector, norm.cohort, norm.topN);
  const models = new Map(
    list.models.flatMap(({ id, speaker, recordings }) => {
      const heard = recordings.flatMap((name) => {
        const [vector, piece] = [embedded.get(name), pieceOf.get(name)];
        return vector === undefined || piece === undefined ? [] : [{ vector, seconds: piece.netSpeechSeconds }];
      });
      if (heard.length === 0) return [];
      const vectors = heard.map((one) => one.vector);
      const seconds = heard.map((one) => one.seconds);
      const vector = weightedMean(vectors, seconds);
      const netSpeechSeconds = seconds.reduce((sum, value) => sum + value, 0);
      return [[id, { speaker, vectors, vector, netSpeechSeconds, side: sideOf(vector) }] as const];
    }),
  );
  const tested = new Set(trials.map(({ test }) => test));
  const tests = new Map(
    [...tested].flatMap((id) => {
      const [vector, piece] = [embedded.get(id), pieceOf.get(id)];
      return vector === undefined || piece === undefined
        ? []
        : [[id, { ...piece, vector, side: sideOf(vector) }] as const];
    }),
  );
  const scored = trials.flatMap(({ model: modelId, test: testId, isTarget }): ListedTrial[] => {
    const [model, test] = [models.get(modelId), tests.get(testId)];
    if (model === undefined || test === undefined) return [];
    const raw = cosine(model.vector, test.vector);
    return [
      {
        modelSpeaker: model.speaker,
        testSpeaker: test.speaker,
        isTarget,
        test: testId,
        cosine: raw,
        score: norm === null ? raw : asNorm(raw, model.side, test.side),
        enrolUtterances: model.vectors.length,
        speech: { enrolment: { netSpeechSeconds: model.netSpeechSeconds }, test },
      },
    ];
  });
  const unheard = list.models.length - models.size + tested.size - tests.size;
  return { source, condition, trials: scored, unheard, enrolments: [...models.values()].map(({ vectors }) => vectors) };
}
