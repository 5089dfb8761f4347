import { join } from 'node:path';
import type { SpeechActivity } from '../../src/audio/waveform.js';
import { decodeFile, fourAtATime, readTable, type Row } from './decode-file.js';
import { joined, Tape } from './tape.js';
import type { TrialList } from './trial-list.js';

/** Finds speech in 8 kHz samples. */
export type Detect = (samples: Float32Array) => Promise<SpeechActivity>;

/** Net speech of one utterance of an enrolment, seconds: that of a digit string. */
const enrolSeconds = 2.5;
/** Numbers of utterances that a model is made of. */
const modelSizes = [5, 3, 1] as const;
/** Net speech of the tests; the last one overlaps the others, never the enrolment. */
const testSeconds = [1, 2, 4, 8] as const;
/** A language with fewer speakers is joined with the others of its corpus. */
const leastSpeakers = 10;

/**
 * Trials among training speakers that a model has not seen, one list for each corpus and language, because only voices that share a
 * channel are hard to tell apart; speakers of rare languages of a corpus share a list and are tried against their own language.
 * Each speaker's utterances are laid end to end and cut by net speech: up to five of 2.5 s to enrol, tests of 1, 2, 4 and 8 s from what
 * is left; models of 1, 3 and 5 utterances. `speech-commands` is joined one-second words, the nearest to digit strings there is.
 */
export async function trainingLists(
  speechDir: string,
  isUnseen: (speaker: string) => boolean,
  detect: Detect,
): Promise<TrialList[]> {
  const spoken = (await readTable(join(speechDir, 'train.tsv'))).filter((row) => isUnseen(row.speaker ?? ''));
  const bySpeaker = groupedBy(spoken, (row) => row.speaker ?? '');
  const byLanguage = groupedBy([...bySpeaker.values()], ([row]) => `${row?.corpus} ${row?.lang}`);
  const bySource = groupedBy([...byLanguage], ([name, speakers]) =>
    speakers.length >= leastSpeakers ? name : `${name.split(' ')[0]} other`,
  );
  const lists: TrialList[] = [];
  for (const [source, languages] of bySource) {
    const parts: TrialList[] = [];
    for (const [, speakers] of languages) parts.push(await listOf(`train/${source}`, speechDir, speakers, detect));
    const list = {
      source: `train/${source}`,
      recordings: parts.flatMap((part) => part.recordings),
      models: parts.flatMap((part) => part.models),
      trials: parts.flatMap((part) => part.trials),
    };
    if (new Set(list.recordings.map(({ speaker }) => speaker)).size >= leastSpeakers) lists.push(list);
  }
  return lists;
}

async function listOf(
  source: string,
  speechDir: string,
  speakers: readonly (readonly Row[])[],
  detect: Detect,
): Promise<TrialList> {
  const recordings: { id: string; speaker: string; samples: Float32Array }[] = [];
  const models: { id: string; speaker: string; recordings: string[] }[] = [];
  const tests: { id: string; speaker: string }[] = [];
  const tapes = await fourAtATime(speakers, (rows) => tapeOf(speechDir, rows, detect));
  for (const [index, tape] of tapes.entries()) {
    const speaker = speakers[index]?.[0]?.speaker ?? '';
    const utterances = modelSizes.find((size) => tape.left >= size * enrolSeconds + (size > 1 ? 2 : 1)) ?? 0;
    if (utterances === 0) continue;
    const record = (name: string, samples: Float32Array): string => {
      const id = `${speaker} ${name}`;
      recordings.push({ id, speaker, samples });
      return id;
    };
    const enrolled = Array.from({ length: utterances }, (_, i) => record(`enrol ${i}`, tape.cut(enrolSeconds)));
    for (const size of modelSizes.filter((size) => size <= utterances)) {
      models.push({ id: `${speaker} of ${size}`, speaker, recordings: enrolled.slice(0, size) });
    }
    const rest: Float32Array[] = [];
    const cutTests = testSeconds.filter((seconds) => {
      const fits = tape.left >= seconds;
      if (fits && seconds < 8) {
        const samples = tape.cut(seconds);
        rest.push(samples);
        record(`test ${seconds}`, samples);
      }
      return fits && seconds < 8;
    });
    if (cutTests.length === 3 && tape.left >= 1) {
      record('test 8', joined([...rest, tape.cut(1)]));
      cutTests.push(8);
    }
    for (const seconds of cutTests) tests.push({ id: `${speaker} test ${seconds}`, speaker });
  }
  const trials = models.flatMap((model) =>
    tests.map((test) => ({ model: model.id, test: test.id, isTarget: model.speaker === test.speaker })),
  );
  return { source, recordings, models, trials };
}

/** Net speech of a cohort's entry, seconds. */
const cohortSeconds = 4;

/**
 * Speakers for a cohort, in lists of one corpus each, `most` of those that a model was trained on: a third of a Chinese language as long as
 * there are any, the others in turn over corpora and (English, French, other) languages, so that none dominates.
 */
export async function cohortLists(
  speechDir: string,
  isTrained: (speaker: string) => boolean,
  detect: Detect,
  most: number,
): Promise<TrialList[]> {
  const spoken = (await readTable(join(speechDir, 'train.tsv'))).filter((row) => isTrained(row.speaker ?? ''));
  const chosen = chooseCohort([...groupedBy(spoken, (row) => row.speaker ?? '').values()], most);
  const lists: TrialList[] = [];
  for (const [corpus, speakers] of groupedBy(chosen, ([row]) => `${row?.corpus}`)) {
    const recordings = await fourAtATime(speakers, async (rows) => {
      const speaker = rows[0]?.speaker ?? '';
      const tape = await tapeOf(speechDir, rows, detect, 2.5 * cohortSeconds);
      return { id: speaker, speaker, samples: tape.cut(cohortSeconds) };
    });
    lists.push({ source: `cohort/${corpus}`, recordings, models: [], trials: [] });
  }
  return lists;
}

function chooseCohort(speakers: readonly (readonly Row[])[], most: number): (readonly Row[])[] {
  const languageOf = (lang = ''): string =>
    lang.startsWith('zh') ? 'zh' : ['en', 'fr'].includes(lang) ? lang : 'other';
  const queues = groupedBy(speakers, ([row]) => `${row?.corpus} ${languageOf(row?.lang)}`);
  const chinese = [...queues].filter(([name]) => name.endsWith(' zh')).flatMap(([, queue]) => queue);
  const others = [...queues].filter(([name]) => !name.endsWith(' zh')).map(([, queue]) => queue);
  const taken = chinese.slice(0, Math.floor(most / 3));
  const longest = Math.max(...others.map((queue) => queue.length));
  const inTurn = Array.from({ length: longest }, (_, round) =>
    others.flatMap((queue) => queue.slice(round, round + 1)),
  );
  return [...taken, ...inTurn.flat().slice(0, most - taken.length)];
}

/** @param mostSeconds of the tape, pauses counted: what nobody cuts need not be looked at */
async function tapeOf(speechDir: string, rows: readonly Row[], detect: Detect, mostSeconds = Infinity): Promise<Tape> {
  const file = await decodeFile(join(speechDir, rows[0]?.file ?? ''));
  const samples = joined(
    rows.map((row) => file.subarray(Number(row.start_sample), Number(row.start_sample) + Number(row.samples))),
  ).subarray(0, 8000 * mostSeconds);
  return new Tape(samples, await detect(samples));
}

function groupedBy<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = key(value);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return groups;
}
