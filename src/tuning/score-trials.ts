import { relative } from 'node:path';
import { weightedMean } from '../scoring/cosine.js';
import type { VoiceComparison } from '../scoring/score-voice.js';
import type { HeardSpeech } from './recording-ear.js';
import type { Attributes, SpeakerList } from './speaker-list.js';

/** One comparison with its scores. */
export interface ScoredTrial {
  /** `<list>/<model>`: unique over lists. */
  readonly model: string;
  /** `<list>/<speaker>`. */
  readonly modelSpeaker: string;
  readonly testSpeaker: string;
  readonly test: string;
  readonly isTarget: boolean;
  readonly cosine: number;
  /** Cosine normalised by a cohort; the cosine where the model's calibration knows none. */
  readonly normalised: number;
  /** Natural log-likelihood ratio; null where the model has no calibration. */
  readonly llr: number | null;
  readonly testNetSpeechSeconds: number;
  readonly attributes: Attributes;
}

/** Scores one comparison beyond its cosine. */
export type ScoreComparison = (comparison: VoiceComparison) => Pick<ScoredTrial, 'cosine' | 'normalised' | 'llr'>;

/** All trials of a list under one channel. */
export interface ScoredList {
  readonly name: string;
  /** Those whose both sides could be heard. */
  readonly trials: readonly ScoredTrial[];
  /** Failures to acquire: they are in no error rate. */
  readonly notAcquired: {
    readonly models: number;
    readonly tests: number;
    readonly trials: number;
  };
  /** How many there are, the failures among them. */
  readonly models: number;
  readonly tests: number;
}

/**
 * Compares. A model is the mean of its recordings' directions weighted by net speech seconds, as the service makes it, out of those that
 * could be heard.
 * @param heardEnrolled,heardTested what an ear made of a file, undefined or without vector where it could not be heard
 */
export function scoreList(
  list: SpeakerList,
  heardEnrolled: (file: string) => HeardSpeech | undefined,
  heardTested: (file: string) => HeardSpeech | undefined,
  score: ScoreComparison,
): ScoredList {
  const models = new Map(
    list.models.flatMap(({ id, speaker, files }) => {
      const heard = files.map(heardEnrolled).filter(hasVector);
      return heard.length === 0 ? [] : [[id, { speaker, ...meanOf(heard) }] as const];
    }),
  );
  const tests = new Map(
    [...new Set(list.trials.map((trial) => trial.test))].map((file) => [file, heardTested(file)] as const),
  );
  const trials = list.trials.flatMap(({ model: id, test: file, isTarget, attributes }): ScoredTrial[] => {
    const model = models.get(id);
    const test = tests.get(file);
    if (model === undefined || !hasVector(test)) return [];
    return [
      {
        model: `${list.name}/${id}`,
        modelSpeaker: `${list.name}/${model.speaker}`,
        testSpeaker: `${list.name}/${list.speakerOf.get(file) ?? relative(list.folder, file)}`,
        test: file,
        isTarget,
        ...score({ enrolment: model, test }),
        testNetSpeechSeconds: test.netSpeechSeconds,
        attributes,
      },
    ];
  });
  return {
    name: list.name,
    trials,
    notAcquired: {
      models: list.models.length - models.size,
      tests: [...tests.values()].filter((test) => !hasVector(test)).length,
      trials: list.trials.length - trials.length,
    },
    models: list.models.length,
    tests: tests.size,
  };
}

type WithVector = HeardSpeech & { readonly vector: Float32Array };

const hasVector = (heard: HeardSpeech | undefined): heard is WithVector => heard !== undefined && heard.vector !== null;

function meanOf(heard: readonly WithVector[]): VoiceComparison['enrolment'] {
  // A recording that only `whole` hears may have no net speech at all; it still counts a little.
  const seconds = heard.map((one) => Math.max(0.01, one.netSpeechSeconds));
  return {
    vector: weightedMean(
      heard.map((one) => one.vector),
      seconds,
    ),
    netSpeechSeconds: seconds.reduce((sum, value) => sum + value, 0),
  };
}
