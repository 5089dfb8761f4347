import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAudio } from '../../src/audio/decode.js';

/** Who is compared with whom: utterances that make a model, utterances that are tested, and which pairs are tried. */
export interface TrialList {
  /** E.g. `dev/zh-read`, `train/an4 en`. */
  readonly source: string;
  readonly models: readonly {
    readonly id: string;
    readonly speaker: string;
    readonly utterances: readonly Float32Array[];
  }[];
  readonly tests: readonly { readonly id: string; readonly speaker: string; readonly samples: Float32Array }[];
  readonly trials: readonly { readonly model: string; readonly test: string; readonly isTarget: boolean }[];
}

/** The lists that are openly licensed, so that figures may be fitted on them. */
export const openDevLists = ['en-mandarin-natives', 'zh-read', 'zh-words', 'en-words', 'fr-read'] as const;
/** The lists that may only be evaluated on. */
export const evaluationLists = ['ivr-digits', 'zh-digits'] as const;

/** One of the folders dev/<name> with its own trials. Speakers are named in its files' names. */
export async function devList(speechDir: string, name: string): Promise<TrialList> {
  const folder = join(speechDir, 'dev', name);
  const enrol = await rows(join(folder, 'enrol.tsv'));
  const trials = (await rows(join(folder, 'trials.tsv'))).map(({ model = '', test = '', label }) => ({
    model,
    test,
    isTarget: label === 'target',
  }));
  const source = `dev/${name}`;
  const speakerOf = (file: string): string => `${source}/${file.split('_')[0]}`;
  return {
    source,
    models: await Promise.all(
      enrol.map(async ({ model = '', files = '' }) => ({
        id: model,
        speaker: `${source}/${model}`,
        utterances: await inTurn(files.split(','), (file) => decodeFile(join(folder, file))),
      })),
    ),
    tests: await inTurn([...new Set(trials.map((trial) => trial.test))], async (file) => ({
      id: file,
      speaker: speakerOf(file),
      samples: await decodeFile(join(folder, file)),
    })),
    trials,
  };
}

const enrolSeconds = [2.2, 3.6] as const;
const testSeconds = [2, 6] as const;
const enrolUtterances = 3;
const mostTests = 4;

/**
 * Trials among training speakers, one list for each corpus and language, because only voices that share a channel are hard to tell
 * apart. Each speaker's utterances are laid end to end and cut: three pieces of the length of a digit string to enrol, up to four
 * of 2 to 6 s to test. Every test is tried against every model of its list.
 * @param isWanted which speakers: those the model under test was not trained on
 */
export async function trainingLists(speechDir: string, isWanted: (speaker: string) => boolean): Promise<TrialList[]> {
  const spoken = (await rows(join(speechDir, 'train.tsv'))).filter((row) => isWanted(row.speaker ?? ''));
  const random = seededRandom(20261122);
  const between = ([least, most]: readonly [number, number]): number =>
    Math.round(8000 * (least + random() * (most - least)));
  const lists: TrialList[] = [];
  for (const [source, utterances] of groupedBy(spoken, (row) => `train/${row.corpus} ${row.lang}`)) {
    const cuts = await inTurn([...groupedBy(utterances, (row) => row.speaker ?? '')], async ([speaker, own]) => {
      const file = await decodeFile(join(speechDir, own[0]?.file ?? ''));
      const tape = joined(
        own.map((row) => file.subarray(Number(row.start_sample), Number(row.start_sample) + Number(row.samples))),
      );
      let at = 0;
      const cut = (range: readonly [number, number]): Float32Array => tape.slice(at, (at += between(range)));
      const enrol = Array.from({ length: enrolUtterances }, () => cut(enrolSeconds));
      const tests: Float32Array[] = [];
      while (tests.length < mostTests && tape.length - at >= 8000 * testSeconds[0]) tests.push(cut(testSeconds));
      return { speaker, enrol, tests };
    });
    const whole = cuts.filter((cut) => cut.tests.length > 0);
    if (whole.length < 10) continue;
    const models = whole.map(({ speaker, enrol }) => ({ id: speaker, speaker, utterances: enrol }));
    const tests = whole.flatMap(({ speaker, tests }) =>
      tests.map((samples, i) => ({ id: `${speaker} ${i}`, speaker, samples })),
    );
    const trials = models.flatMap((model) =>
      tests.map((test) => ({ model: model.id, test: test.id, isTarget: model.speaker === test.speaker })),
    );
    lists.push({ source, models, tests, trials });
  }
  return lists;
}

/** A whole file as 8 kHz mono samples. */
async function decodeFile(path: string): Promise<Float32Array> {
  const limits = {
    maxBytes: 2 ** 26,
    maxSeconds: 600,
    ffmpegTimeoutMs: 60_000,
    ffmpegPath: 'ffmpeg',
    ffmpegProcesses: 2,
  };
  const decoded = await decodeAudio(await readFile(path), { contentType: undefined, targetRateHz: 8000, limits });
  return decoded.waveform.samples;
}

type Row = Readonly<Record<string, string>>;

async function rows(path: string): Promise<Row[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i] ?? '', value])));
}

function groupedBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await work(value));
  return results;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Numbers in [0, 1) that are the same in every run (a 32-bit multiplicative generator; not for secrets). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
