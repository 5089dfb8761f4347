import type { Waveform } from '../audio/waveform.js';
import { VoicegateError } from '../errors.js';
import type { PhraseVerdict } from '../challenge/phrase.js';
import type { Interval } from './bootstrap.js';
import type { Channel } from './channel.js';
import { eachRecording, requireFiles, type Decode } from './each-recording.js';
import type { ListedPhrase, PhraseLabel, PhraseList } from './phrase-list.js';
import { wilsonInterval } from './proportion.js';
import { seededRandom, seedOf } from './seeded-random.js';

/** A digit recogniser as it is measured: one recording against many expected strings. */
export interface PhraseEar {
  /** Language tags that it knows. */
  readonly languages: readonly string[];
  /** Nobody says digits in an unreadably short recording: silence. */
  check(waveform: Waveform, language: string, asked: AskedStrings): Promise<PhraseAnswer>;
}

/** What a recording is held against. */
export interface AskedStrings {
  /** Strings of the list. */
  readonly listed: readonly string[];
  /** Strings drawn at random, of which only the number of matches is wanted. */
  readonly drawn: readonly string[];
}

export interface PhraseAnswer {
  /** One for each of `listed`. */
  readonly verdicts: readonly PhraseVerdict[];
  readonly drawnMatches: number;
}

/** How often a phrase was accepted, shares in [0, 1]; null where a list has no such rows. Accepted means: the verdict is `match`. */
export interface PhraseListReport {
  readonly name: string;
  readonly language: string;
  readonly right: number;
  readonly rightAccepted: number | null;
  readonly rightAcceptedInterval: Interval;
  readonly near: number;
  readonly nearAccepted: number | null;
  readonly nearAcceptedInterval: Interval;
  readonly wrong: number;
  readonly wrongAccepted: number | null;
  readonly wrongAcceptedInterval: Interval;
  /** Strings drawn at random, of the spoken length, at least two digits off, so many for each recording; strings of one recording hang together. */
  readonly randomWrong: number;
  readonly randomWrongAccepted: number | null;
  readonly randomWrongAcceptedInterval: Interval;
  /** Share of the near rows that were seen to be near misses. */
  readonly nearSeen: number | null;
  readonly recordings: number;
  /** Recordings that could not be decoded; their rows are in no share. */
  readonly unreadable: number;
}

/** What listens; passed in. */
export interface PhraseParts {
  readonly decode: Decode;
  readonly ear: PhraseEar;
  readonly atOnce: number;
  /** Random wrong strings for each recording. */
  readonly randomWrongs: number;
  readonly onProgress: (done: number, of: number) => void;
  readonly onUnreadable: (file: string, reason: string) => void;
}

/**
 * Asks the recogniser every question of a list, through each channel.
 * @returns by channel name
 * @throws VoicegateError `invalid_request` when the list does not say its one language or the recogniser does not know it; `not_found`
 *   for missing recordings; what the parts throw
 */
export async function evaluatePhraseList(
  list: PhraseList,
  channels: readonly Channel[],
  parts: PhraseParts,
): Promise<ReadonlyMap<string, PhraseListReport>> {
  const language = languageOf(list, parts.ear.languages);
  const rows = new Map<string, ListedPhrase[]>();
  for (const phrase of list.phrases) rows.set(phrase.file, [...(rows.get(phrase.file) ?? []), phrase]);
  const files = [...rows.keys()];
  await requireFiles(files);
  const questions = new Map(
    files.map((file) => {
      const own = rows.get(file) ?? [];
      const spoken = own[0]?.spoken ?? '';
      const random = seededRandom(seedOf(`${list.name} ${spoken} ${own[0]?.speaker ?? ''}`));
      const drawn = Array.from({ length: parts.randomWrongs }, () => randomWrong(spoken, random));
      return [file, { listed: own.map((row) => row.expected), drawn }] as const;
    }),
  );
  const visited = await eachRecording(
    files.map((file) => ({ file, channels })),
    (waveform, file) => parts.ear.check(waveform, language, questions.get(file) ?? { listed: [], drawn: [] }),
    { ...parts, onDone: (done) => parts.onProgress(done, files.length) },
  );
  for (const [file, one] of visited) if (one.kind === 'unreadable') parts.onUnreadable(file, one.reason);
  return new Map(
    channels.map(({ name: channel }) => {
      const answers = new Map(
        [...visited].flatMap(([file, one]) => {
          const answer = one.kind === 'heard' ? one.byChannel.get(channel) : undefined;
          return answer === undefined ? [] : [[file, answer] as const];
        }),
      );
      return [channel, reportOf(list.name, language, rows, answers, parts.randomWrongs)];
    }),
  );
}

function languageOf(list: PhraseList, known: readonly string[]): string {
  const [language = null, ...others] = new Set(list.phrases.map((phrase) => phrase.language));
  if (language !== null && others.length === 0 && known.includes(language)) return language;
  const found = others.length > 0 ? 'several languages' : (language ?? 'no language');
  throw new VoicegateError('invalid_request', `phrase list ${list.name} has ${found}`, {
    hint: `One of ${known.join(', ')} for the whole list, in a column language or as a part of the name of the folder`,
  });
}

function reportOf(
  name: string,
  language: string,
  rows: ReadonlyMap<string, readonly ListedPhrase[]>,
  answers: ReadonlyMap<string, PhraseAnswer>,
  randomWrongs: number,
): PhraseListReport {
  const given: { label: PhraseLabel; verdict: PhraseVerdict }[] = [];
  let drawnMatches = 0;
  for (const [file, answer] of answers) {
    rows.get(file)?.forEach(({ label }, at) => given.push({ label, verdict: answer.verdicts[at] as PhraseVerdict }));
    drawnMatches += answer.drawnMatches;
  }
  const labelled = (label: PhraseLabel, verdict?: PhraseVerdict): number =>
    given.filter((one) => one.label === label && (verdict === undefined || one.verdict === verdict)).length;
  const right = accepted(labelled('right', 'match'), labelled('right'));
  const near = accepted(labelled('near', 'match'), labelled('near'));
  const wrong = accepted(labelled('wrong', 'match'), labelled('wrong'));
  const drawn = accepted(drawnMatches, answers.size * randomWrongs);
  return {
    name,
    language,
    right: right.of,
    rightAccepted: right.share,
    rightAcceptedInterval: right.interval,
    near: near.of,
    nearAccepted: near.share,
    nearAcceptedInterval: near.interval,
    wrong: wrong.of,
    wrongAccepted: wrong.share,
    wrongAcceptedInterval: wrong.interval,
    randomWrong: drawn.of,
    randomWrongAccepted: drawn.share,
    randomWrongAcceptedInterval: drawn.interval,
    nearSeen: near.of === 0 ? null : labelled('near', 'near_miss') / near.of,
    recordings: rows.size,
    unreadable: rows.size - answers.size,
  };
}

interface Accepted {
  readonly of: number;
  readonly share: number | null;
  readonly interval: Interval;
}

const accepted = (count: number, of: number): Accepted => ({
  of,
  share: of === 0 ? null : count / of,
  interval: wilsonInterval(count, of),
});

/** A string of the same length with at least two digits changed. */
export function randomWrong(spoken: string, random: () => number): string {
  for (;;) {
    const drawn = Array.from(spoken, () => Math.floor(10 * random())).join('');
    if (Array.from(drawn).filter((digit, at) => digit !== spoken[at]).length >= Math.min(2, spoken.length))
      return drawn;
  }
}
