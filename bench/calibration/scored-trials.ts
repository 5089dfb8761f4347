import { cosine, weightedMean } from '../../src/scoring/cosine.js';
import type { Trials } from '../../src/scoring/error-rates.js';
import type { TrialList } from './speech-lists.js';

/** What an ear makes of one utterance; null vector: too little speech. */
export interface HeardUtterance {
  readonly vector: Float32Array | null;
  readonly netSpeechSeconds: number;
}

/** Samples at 8 kHz → embedding. */
export type Ear = (samples: Float32Array) => Promise<HeardUtterance>;

/** One comparison with its score. */
export interface ScoredTrial {
  readonly modelSpeaker: string;
  readonly testSpeaker: string;
  readonly isTarget: boolean;
  readonly cosine: number;
  readonly enrolNetSpeechSeconds: number;
  readonly testNetSpeechSeconds: number;
}

/** All trials of a list under one condition, and the enrolments' utterances for the choice of the self-consistency. */
export interface ScoredList {
  readonly source: string;
  readonly condition: string;
  readonly trials: readonly ScoredTrial[];
  /** Models and tests without enough speech to embed: failures to acquire, in no error rate. */
  readonly unheard: number;
  readonly enrolments: readonly { readonly speaker: string; readonly vectors: readonly Float32Array[] }[];
}

/**
 * Embeds and compares. A model is the mean of its utterances' directions weighted by net speech seconds, as the service makes it.
 * @param channel what every recording goes through first; `index` counts recordings
 */
export async function scoreList(
  list: TrialList,
  condition: string,
  channel: (samples: Float32Array, index: number) => Float32Array,
  ear: Ear,
): Promise<ScoredList> {
  let index = 0;
  const hear = async (samples: Float32Array): Promise<HeardUtterance> => ear(channel(samples, index++));
  const enrolments: { id: string; speaker: string; heard: HeardUtterance[] }[] = [];
  for (const { id, speaker, utterances } of list.models) {
    const heard: HeardUtterance[] = [];
    for (const samples of utterances) heard.push(await hear(samples));
    enrolments.push({ id, speaker, heard: heard.filter((one) => one.vector !== null) });
  }
  const tests = new Map<string, HeardUtterance & { speaker: string }>();
  for (const { id, speaker, samples } of list.tests) tests.set(id, { speaker, ...(await hear(samples)) });

  const models = new Map(enrolments.filter((one) => one.heard.length > 0).map((one) => [one.id, modelOf(one)]));
  const trials = list.trials.flatMap(({ model: modelId, test: testId, isTarget }): ScoredTrial[] => {
    const model = models.get(modelId);
    const test = tests.get(testId);
    if (model === undefined || test === undefined || test.vector === null) return [];
    return [
      {
        modelSpeaker: model.speaker,
        testSpeaker: test.speaker,
        isTarget,
        cosine: cosine(model.vector, test.vector),
        enrolNetSpeechSeconds: model.netSpeechSeconds,
        testNetSpeechSeconds: test.netSpeechSeconds,
      },
    ];
  });
  const unheard =
    [...tests.values()].filter((test) => test.vector === null).length +
    enrolments.filter((one) => one.heard.length === 0).length;
  return {
    source: list.source,
    condition,
    trials,
    unheard,
    enrolments: enrolments.map(({ speaker, heard }) => ({
      speaker,
      vectors: heard.map((one) => one.vector as Float32Array),
    })),
  };
}

function modelOf({ speaker, heard }: { speaker: string; heard: readonly HeardUtterance[] }): {
  speaker: string;
  vector: Float32Array;
  netSpeechSeconds: number;
} {
  const seconds = heard.map((one) => one.netSpeechSeconds);
  return {
    speaker,
    vector: weightedMean(
      heard.map((one) => one.vector as Float32Array),
      seconds,
    ),
    netSpeechSeconds: seconds.reduce((sum, value) => sum + value, 0),
  };
}

/** Splits trials by kind and reads a number from each. */
export function scoresOf(trials: readonly ScoredTrial[], score: (trial: ScoredTrial) => number): Trials {
  const of = (isTarget: boolean): number[] => trials.filter((trial) => trial.isTarget === isTarget).map(score);
  return { targets: of(true), nontargets: of(false) };
}
