import { createHash } from 'node:crypto';
import type { Waveform } from '../audio/waveform.js';
import { cosine, weightedMean } from '../scoring/cosine.js';
import { plainChannel } from './channel.js';
import { eachRecording, requireFiles, type Decode } from './each-recording.js';
import { FingerprintIndex } from './fingerprint-index.js';
import { fingerprint, type Fingerprint } from './fingerprint.js';
import type { HeardSpeech } from './recording-ear.js';
import type { ReferenceFile } from './reference-speech.js';

/** A recording of a list that may have been trained on. */
export interface TestedFile {
  readonly file: string;
  /** `<list>/<speaker>`. */
  readonly speaker: string;
}

/** A test file and the training file that sounds the same. */
export interface SameRecording {
  readonly test: string;
  readonly reference: string;
  readonly referenceSpeaker: string;
  /** exact: the same samples. certain: long and alike enough that it is no chance. possible: listen to both. */
  readonly verdict: 'exact' | 'certain' | 'possible';
  /** Share of equal fingerprint bits, 0.5 for unrelated recordings. */
  readonly agreement: number;
  readonly overlapSeconds: number;
  /** Where the test recording begins in the training file. */
  readonly offsetSeconds: number;
}

/** A test speaker and the training speaker whose voice is most like. */
export interface NearestSpeaker {
  readonly speaker: string;
  readonly referenceSpeaker: string;
  readonly cosine: number;
}

/** Signs of test speech among training speech, the strongest first. */
export interface LeakReport {
  readonly testFiles: number;
  readonly referenceFiles: number;
  readonly referenceSpeakers: number;
  readonly sameRecording: readonly SameRecording[];
  readonly nearestSpeakers: readonly NearestSpeaker[];
  /** Files that could not be decoded. */
  readonly unreadable: number;
}

/** What listens; passed in. */
export interface LeakParts {
  readonly decode: Decode;
  readonly hear: (waveform: Waveform) => Promise<HeardSpeech>;
  readonly atOnce: number;
  readonly onProgress: (done: number, of: number) => void;
}

/** Speech of a training speaker that is embedded, seconds: enough to know a voice. */
const embeddedSeconds = 12;
/** Agreement and overlap that chance does not reach (README.md has the figures), and those worth a look. */
const certain = { agreement: 0.75, overlapSeconds: 1 };
const possible = { agreement: 0.68, overlapSeconds: 0.7 };

interface Taken {
  readonly print: Fingerprint;
  readonly hashes: readonly string[];
  readonly heard: HeardSpeech;
}

/**
 * Looks for test recordings among training speech: the same samples (by hash), the same recording through another coder, level or noise
 * (by fingerprint), and the training voice that is most like each test voice (by cosine; whoever was trained on is closer than strangers).
 * @param most entries of each list
 * @throws VoicegateError `not_found` for missing files; what the parts throw
 */
export async function findLeaks(
  tests: readonly TestedFile[],
  references: readonly ReferenceFile[],
  most: number,
  parts: LeakParts,
): Promise<LeakReport> {
  await requireFiles([...tests, ...references].map(({ file }) => file));
  const total = tests.length + references.length;
  const byFile = new Map(references.map((reference) => [reference.file, reference]));
  const taken = async (files: readonly string[], already: number): Promise<ReadonlyMap<string, Taken>> => {
    const visited = await eachRecording(
      files.map((file) => ({ file, channels: [plainChannel] })),
      (waveform, file) => take(waveform, byFile.get(file)?.parts ?? [], parts.hear),
      { ...parts, onDone: (done) => parts.onProgress(already + done, total) },
    );
    return new Map(
      [...visited].flatMap(([file, one]) => {
        const found = one.kind === 'heard' ? one.byChannel.get(plainChannel.name) : undefined;
        return found === undefined ? [] : [[file, found] as const];
      }),
    );
  };
  const known = await taken([...byFile.keys()], 0);
  const asked = await taken(
    tests.map(({ file }) => file),
    references.length,
  );
  return {
    testFiles: tests.length,
    referenceFiles: references.length,
    referenceSpeakers: new Set(references.map(({ speaker }) => speaker)).size,
    sameRecording: sameRecordings(asked, known, byFile).slice(0, most),
    nearestSpeakers: nearestSpeakers(voices(tests, asked), voices(references, known)).slice(0, most),
    unreadable: total - known.size - asked.size,
  };
}

async function take(
  { samples, sampleRateHz }: Waveform,
  parts: ReferenceFile['parts'],
  hear: LeakParts['hear'],
): Promise<Taken> {
  const utterances = parts.map(({ startSample, samples: length }) =>
    samples.subarray(startSample, startSample + length),
  );
  const bounded = samples.subarray(0, embeddedSeconds * sampleRateHz);
  return {
    print: fingerprint(samples),
    hashes: [samples, ...utterances].map(hashOf),
    heard: await hear({ samples: bounded, sampleRateHz }),
  };
}

/** Of the samples as 16-bit numbers, so that decoders' rounding does not matter. */
function hashOf(samples: Float32Array): string {
  return createHash('sha256')
    .update(Int16Array.from(samples, (sample) => Math.round(32767 * sample)))
    .digest('base64');
}

function sameRecordings(
  asked: ReadonlyMap<string, Taken>,
  known: ReadonlyMap<string, Taken>,
  byFile: ReadonlyMap<string, ReferenceFile>,
): SameRecording[] {
  const byHash = new Map<string, string>();
  const index = new FingerprintIndex<string>();
  for (const [file, { print, hashes }] of known) {
    index.add(file, print);
    for (const hash of hashes) byHash.set(hash, file);
  }
  const found = [...asked].flatMap(([test, { print, hashes }]): SameRecording[] => {
    const exact = byHash.get(hashes[0] ?? '');
    const match = index.find(print);
    const reference = exact ?? match?.reference;
    if (reference === undefined) return [];
    const { agreement = 1, overlapSeconds = 0, offsetSeconds = 0 } = match ?? {};
    const reaches = (level: typeof certain): boolean =>
      agreement >= level.agreement && overlapSeconds >= level.overlapSeconds;
    const verdict =
      exact !== undefined ? 'exact' : reaches(certain) ? 'certain' : reaches(possible) ? 'possible' : null;
    if (verdict === null) return [];
    const referenceSpeaker = byFile.get(reference)?.speaker ?? '';
    return [{ test, reference, referenceSpeaker, verdict, agreement, overlapSeconds, offsetSeconds }];
  });
  const rank = { exact: 2, certain: 1, possible: 0 };
  return found.sort((a, b) => rank[b.verdict] - rank[a.verdict] || b.agreement - a.agreement);
}

/** Mean direction of each speaker's files. */
function voices(files: readonly TestedFile[], taken: ReadonlyMap<string, Taken>): ReadonlyMap<string, Float32Array> {
  const own = new Map<string, Float32Array[]>();
  for (const { file, speaker } of files) {
    const vector = taken.get(file)?.heard.vector ?? null;
    if (vector !== null) own.set(speaker, [...(own.get(speaker) ?? []), vector]);
  }
  return new Map(
    [...own].map(([speaker, vectors]) => [
      speaker,
      weightedMean(
        vectors,
        vectors.map(() => 1),
      ),
    ]),
  );
}

function nearestSpeakers(
  tested: ReadonlyMap<string, Float32Array>,
  known: ReadonlyMap<string, Float32Array>,
): NearestSpeaker[] {
  const nearest = [...tested].flatMap(([speaker, vector]): NearestSpeaker[] => {
    let best: NearestSpeaker | null = null;
    for (const [referenceSpeaker, reference] of known) {
      const value = cosine(vector, reference);
      if (best === null || value > best.cosine) best = { speaker, referenceSpeaker, cosine: value };
    }
    return best === null ? [] : [best];
  });
  return nearest.sort((a, b) => b.cosine - a.cosine);
}
