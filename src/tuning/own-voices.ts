import { createHash } from 'node:crypto';
import { cohortBytes, type Cohort, type CohortModel } from '../scoring/cohort.js';
import { unit, weightedMean } from '../scoring/cosine.js';
import type { HeardSpeech } from './recording-ear.js';

/** A call that could be heard. */
export interface HeardCall extends HeardSpeech {
  readonly vector: Float32Array;
  readonly id: string;
  /** Null where nobody said who speaks. */
  readonly speaker: string | null;
}

/** All calls of one speaker; a call by nobody known is a voice of its own. */
export interface OwnVoice {
  readonly name: string;
  readonly isNamed: boolean;
  readonly calls: readonly HeardCall[];
}

/** Calls gathered by speaker, each speaker's in the order of their ids. */
export function voicesOf(calls: readonly HeardCall[]): readonly OwnVoice[] {
  const voices = new Map<string, HeardCall[]>();
  for (const call of [...calls].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const name = call.speaker === null ? `call ${call.id}` : `speaker ${call.speaker}`;
    voices.set(name, [...(voices.get(name) ?? []), call]);
  }
  return [...voices].map(([name, own]) => ({ name, isNamed: own[0]?.speaker !== null, calls: own }));
}

/**
 * Two halves by the hash of the name, so that it does not matter in which order calls are listed: one makes centre and cohort, the other fits
 * the calibration. No voice that a score is normalised with is fitted on.
 */
export function halves(voices: readonly OwnVoice[]): {
  readonly normalising: OwnVoice[];
  readonly fitting: OwnVoice[];
} {
  const hashed = voices.map((voice) => ({ voice, hash: createHash('sha256').update(voice.name).digest('hex') }));
  const ordered = hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ voice }) => voice);
  return {
    normalising: ordered.filter((_, at) => at % 2 === 0),
    fitting: ordered.filter((_, at) => at % 2 === 1),
  };
}

/** Voices by which the mean of an operator's calls is believed half. */
const halfBelieved = 50;
/** Most rows of a cohort: each costs a dot product on either side of every comparison. */
const mostRows = 1500;

/**
 * What the voices' embeddings have in common, the line and the language they come over: mean of their directions, drawn to nothing by n / (n + 50)
 * where there are few.
 * @param voices at least one
 */
export function centreOf(voices: readonly OwnVoice[]): Float32Array {
  const directions = voices.map(directionOf);
  const sum = new Float64Array(directions[0]?.length ?? 0);
  for (const direction of directions) direction.forEach((value, i) => (sum[i] = (sum[i] as number) + value));
  return Float32Array.from(sum, (value) => value / (voices.length + halfBelieved));
}

/**
 * A cohort file of the voices, with the shipped cohort's rows behind them up to 1,500. Rows are numbered: nothing tells whose they are.
 * @param shipped without a centre, so that its rows are embeddings as the model gave them
 */
export function cohortFileOf(
  voices: readonly OwnVoice[],
  shipped: Cohort | null,
  centre: Float32Array,
  model: CohortModel,
): Buffer {
  const own = voices.slice(0, mostRows).map(directionOf);
  const more = shipped === null ? [] : rowsOf(shipped).slice(0, mostRows - own.length);
  return cohortBytes(
    [
      ...own.map((vector, i) => ({ speaker: `own ${i}`, vector })),
      ...more.map((vector, i) => ({ speaker: `shipped ${i}`, vector })),
    ],
    model,
    centre,
  );
}

function directionOf({ calls }: OwnVoice): Float32Array {
  const [only] = calls;
  if (calls.length === 1 && only !== undefined) return unit(only.vector);
  return weightedMean(
    calls.map((call) => call.vector),
    calls.map((call) => call.netSpeechSeconds),
  );
}

function rowsOf({ vectors, size, dimension }: Cohort): Float32Array[] {
  return Array.from({ length: size }, (_, row) => vectors.subarray(row * dimension, (row + 1) * dimension));
}
