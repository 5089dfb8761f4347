import type { Waveform } from '../audio/waveform.js';
import { plainChannel, type Channel } from './channel.js';
import { eachRecording, requireFiles, type Decode, type Visited, type WantedRecording } from './each-recording.js';
import type { HeardSpeech } from './recording-ear.js';
import { scoreList, type ScoreComparison, type ScoredList } from './score-trials.js';
import type { SpeakerList } from './speaker-list.js';

/** Which recordings go through the channel: those that are tested, or the enrolment's too. */
export type ChannelSide = 'test' | 'both';

/** What listens and compares; passed in. */
export interface SpeakerParts {
  readonly decode: Decode;
  readonly hear: (waveform: Waveform) => Promise<HeardSpeech>;
  readonly score: ScoreComparison;
  /** Recordings in work at once. */
  readonly atOnce: number;
  readonly onProgress: (done: number, of: number) => void;
  /** Told of each recording that cannot be decoded. */
  readonly onUnreadable: (file: string, reason: string) => void;
}

/** The lists' trials under one channel. */
export interface ScoredChannel {
  readonly channel: string;
  readonly lists: readonly ScoredList[];
}

/**
 * Hears every recording of the lists once and scores all trials under each channel.
 * @param channels at least one; names differ
 * @throws VoicegateError `not_found` for a missing recording before anything is heard; `audio_decoder_missing`; what the parts throw
 */
export async function scoreSpeakerLists(
  lists: readonly SpeakerList[],
  channels: readonly Channel[],
  side: ChannelSide,
  parts: SpeakerParts,
): Promise<readonly ScoredChannel[]> {
  const enrolChannels = side === 'both' ? channels : [plainChannel];
  const wanted = recordingsOf(lists, channels, enrolChannels);
  await requireFiles(wanted.map((one) => one.file));
  const visited = await eachRecording(wanted, parts.hear, {
    ...parts,
    onDone: (done) => parts.onProgress(done, wanted.length),
  });
  for (const [file, one] of visited) if (one.kind === 'unreadable') parts.onUnreadable(file, one.reason);
  return channels.map(({ name }) => {
    const enrolled = heardThrough(visited, side === 'both' ? name : plainChannel.name);
    const tested = heardThrough(visited, name);
    return { channel: name, lists: lists.map((list) => scoreList(list, enrolled, tested, parts.score)) };
  });
}

function recordingsOf(
  lists: readonly SpeakerList[],
  testChannels: readonly Channel[],
  enrolChannels: readonly Channel[],
): WantedRecording[] {
  const wanted = new Map<string, Set<Channel>>();
  const add = (file: string, channels: readonly Channel[]): void => {
    const set = wanted.get(file) ?? new Set();
    for (const channel of channels) set.add(channel);
    wanted.set(file, set);
  };
  for (const { models, trials } of lists) {
    for (const { files } of models) for (const file of files) add(file, enrolChannels);
    for (const { test } of trials) add(test, testChannels);
  }
  return [...wanted].map(([file, channels]) => ({ file, channels: [...channels] }));
}

function heardThrough(
  visited: ReadonlyMap<string, Visited<HeardSpeech>>,
  channel: string,
): (file: string) => HeardSpeech | undefined {
  return (file) => {
    const one = visited.get(file);
    return one?.kind === 'heard' ? one.byChannel.get(channel) : undefined;
  };
}
