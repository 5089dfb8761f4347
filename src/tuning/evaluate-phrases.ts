import type { Waveform } from '../audio/waveform.js';
import type { Interval } from './bootstrap.js';
import type { Channel } from './channel.js';
import { eachRecording, requireFiles, type Decode } from './each-recording.js';
import type { ListedPhrase, PhraseLabel, PhraseList } from './phrase-list.js';
import { wilsonInterval } from './proportion.js';
import { seededRandom, seedOf } from './seeded-random.js';

/** `near_miss`: all but one digit. `silence`: no digit was heard. */
export type PhraseVerdict = 'match' | 'near_miss' | 'wrong' | 'silence';

/** A digit recogniser as it is measured: one recording against many expected strings. */
export interface PhraseEar {
  /** Language tags that it knows. */
  readonly languages: readonly string[];
  /** One verdict for each expected string. */
  check(waveform: Waveform, language: string, expected: readonly string[]): Promise<readonly PhraseVerdict[]>;
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
 * @throws VoicegateError `not_found` for missing recordings; what the parts throw
 */
export async function evaluatePhraseList(
  list: PhraseList,
  language: string,
  channels: readonly Channel[],
  parts: PhraseParts,
): Promise<ReadonlyMap<string, PhraseListReport>> {
  const rows = new Map<string, ListedPhrase[]>();
  for (const phrase of list.phrases) rows.set(phrase.file, [...(rows.get(phrase.file) ?? []), phrase]);
  const files = [...rows.keys()];
  await requireFiles(files);
  const questions = new Map(
    files.map((file) => {
      const own = rows.get(file) ?? [];
      const spoken = own[0]?.spoken ?? '';
      const random = seededRandom(seedOf(`${list.name} ${spoken} ${own[0]?.speaker ?? ''}`));
      const wrongs = Array.from({ length: parts.randomWrongs }, () => randomWrong(spoken, random));
      return [file, [...own.map((row) => row.expected), ...wrongs]] as const;
    }),
  );
  const visited = await eachRecording(
    files.map((file) => ({ file, channels })),
    (waveform, file) => parts.ear.check(waveform, language, questions.get(file) ?? []),
    { ...parts, onDone: (done) => parts.onProgress(done, files.length) },
  );
  for (const [file, one] of visited) if (one.kind === 'unreadable') parts.onUnreadable(file, one.reason);
  return new Map(
    channels.map(({ name: channel }) => {
      const verdicts = new Map(
        [...visited].flatMap(([file, one]) =>
          one.kind === 'heard' ? [[file, one.byChannel.get(channel) ?? []] as const] : [],
        ),
      );
      return [channel, reportOf(list.name, language, rows, verdicts)];
    }),
  );
}

function reportOf(
  name: string,
  language: string,
  rows: ReadonlyMap<string, readonly ListedPhrase[]>,
  verdicts: ReadonlyMap<string, readonly PhraseVerdict[]>,
): PhraseListReport {
  const given: { label: PhraseLabel; verdict: PhraseVerdict }[] = [];
  const random: PhraseVerdict[] = [];
  for (const [file, found] of verdicts) {
    const own = rows.get(file) ?? [];
    own.forEach(({ label }, at) => given.push({ label, verdict: found[at] as PhraseVerdict }));
    random.push(...found.slice(own.length));
  }
  const accepted = (all: readonly PhraseVerdict[]): Accepted => {
    const count = all.filter((verdict) => verdict === 'match').length;
    return {
      of: all.length,
      share: all.length === 0 ? null : count / all.length,
      interval: wilsonInterval(count, all.length),
    };
  };
  const labelled = (label: PhraseLabel): PhraseVerdict[] =>
    given.filter((one) => one.label === label).map((one) => one.verdict);
  const [right, near, wrong, drawn] = [labelled('right'), labelled('near'), labelled('wrong'), random].map(
    accepted,
  ) as [Accepted, Accepted, Accepted, Accepted];
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
    nearSeen: near.of === 0 ? null : labelled('near').filter((verdict) => verdict === 'near_miss').length / near.of,
    recordings: rows.size,
    unreadable: rows.size - verdicts.size,
  };
}

interface Accepted {
  readonly of: number;
  readonly share: number | null;
  readonly interval: Interval;
}

/** A string of the same length with at least two digits changed. */
export function randomWrong(spoken: string, random: () => number): string {
  for (;;) {
    const drawn = Array.from(spoken, () => Math.floor(10 * random())).join('');
    if (Array.from(drawn).filter((digit, at) => digit !== spoken[at]).length >= Math.min(2, spoken.length))
      return drawn;
  }
}
