import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Waveform } from '../audio/waveform.js';
import { VoicegateError } from '../errors.js';
import { plainChannel, type Channel } from './channel.js';
import { seedOf } from './seeded-random.js';

/** Bytes of a file → waveform at the ears' rate. */
export type Decode = (bytes: Uint8Array) => Promise<Waveform>;

/** A recording and the channels it is to be heard through. */
export interface WantedRecording {
  /** Absolute path. */
  readonly file: string;
  readonly channels: readonly Channel[];
}

/** What was made of a recording, by channel name; or why nothing could be. */
export type Visited<T> =
  | { readonly kind: 'heard'; readonly byChannel: ReadonlyMap<string, T> }
  | { readonly kind: 'unreadable'; readonly reason: string };

/**
 * Reads and decodes every file once, sends it through its channels and has each heard. As many recordings are in memory as are in work.
 * @param wanted each file once
 * @param parts.atOnce recordings in work at once
 * @param parts.onDone called after each recording with how many are done
 * @returns by path. A file that is there but cannot be decoded is `unreadable`: a failure to acquire, not the end of the work
 * @throws VoicegateError `audio_decoder_missing`, and what `hear` throws
 */
export async function eachRecording<T>(
  wanted: readonly WantedRecording[],
  hear: (waveform: Waveform, file: string) => Promise<T>,
  parts: { readonly decode: Decode; readonly atOnce: number; readonly onDone: (done: number) => void },
): Promise<ReadonlyMap<string, Visited<T>>> {
  const visited = new Map<string, Visited<T>>();
  const queue = wanted.values();
  const worker = async (): Promise<void> => {
    for (const { file, channels } of queue) {
      visited.set(file, await visit(file, channels, hear, parts.decode));
      parts.onDone(visited.size);
    }
  };
  await Promise.all(Array.from({ length: parts.atOnce }, worker));
  return visited;
}

async function visit<T>(
  file: string,
  channels: readonly Channel[],
  hear: (waveform: Waveform, file: string) => Promise<T>,
  decode: Decode,
): Promise<Visited<T>> {
  let plain: Waveform;
  try {
    plain = await decode(await readFile(file));
  } catch (fault) {
    if (!(fault instanceof VoicegateError) || !fault.code.startsWith('audio_')) throw fault;
    if (fault.code === 'audio_decoder_missing') throw fault;
    return { kind: 'unreadable', reason: `${fault.code}: ${fault.message}` };
  }
  const byChannel = new Map<string, T>();
  for (const channel of channels) {
    byChannel.set(channel.name, await hear(await through(channel, plain, file), file));
  }
  return { kind: 'heard', byChannel };
}

async function through(channel: Channel, waveform: Waveform, file: string): Promise<Waveform> {
  if (channel === plainChannel) return waveform;
  // By folder and name, not by the whole path: a list gives the same noise wherever it lies.
  const seed = seedOf(`${channel.name} ${join(basename(dirname(file)), basename(file))}`);
  return { ...waveform, samples: await channel.apply(waveform.samples, seed) };
}

/**
 * Makes sure that files are there before an hour of work is begun.
 * @throws VoicegateError `not_found` naming the first that is missing and how many more are
 */
export async function requireFiles(files: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const file of files) {
    const found = await stat(file).catch(() => null);
    if (found?.isFile() !== true) missing.push(file);
  }
  if (missing.length === 0) return;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new VoicegateError('not_found', `the recording ${missing[0]}${more} of the list is missing`, {
    hint: 'Paths in a list are relative to its folder',
  });
}
