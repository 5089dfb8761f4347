import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { keptSpeech } from '../../src/audio/kept-speech.js';
import { assessQuality } from '../../src/audio/quality.js';
import type { Detect } from './training-lists.js';
import { throughTelephone } from '../../src/tuning/telephone.js';
import type { TrialList } from './trial-list.js';

/** `mixed`: every other recording through the telephone. */
export type Condition = 'plain' | 'telephone' | 'mixed';

/** What the service would give the embedding network of one recording, and what it measured. */
export interface Piece {
  readonly id: string;
  readonly speaker: string;
  /** 8 kHz, int16. */
  readonly kept: Int16Array;
  readonly netSpeechSeconds: number;
  readonly snrDb: number | null;
}

/** A trial list under one condition, heard as far as no speaker model has a say in it. */
export interface PreparedList extends Omit<TrialList, 'recordings'> {
  readonly condition: Condition;
  readonly pieces: readonly Piece[];
}

/** Hears a list as the service would, up to the embedding. */
export async function prepareList(list: TrialList, condition: Condition, detect: Detect): Promise<PreparedList> {
  const pieces: Piece[] = [];
  for (const [index, { id, speaker, samples: plain }] of list.recordings.entries()) {
    const isPlain = condition === 'plain' || (condition === 'mixed' && index % 2 === 1);
    const samples = isPlain ? plain : throughTelephone(plain, index % 4 < 2 ? 'alaw' : 'mulaw');
    const waveform = { samples, sampleRateHz: 8000 };
    const activity = await detect(samples);
    const { netSpeechSeconds, snrDb } = assessQuality(waveform, activity);
    const kept = Int16Array.from(keptSpeech(waveform, activity), (x) =>
      Math.max(-32768, Math.min(32767, Math.round(x * 32768))),
    );
    pieces.push({ id, speaker, kept, netSpeechSeconds, snrDb });
  }
  const { source, models, trials } = list;
  return { source, condition, models, trials, pieces };
}

/** Keeps it: a line of JSON, then the samples. */
export async function writePrepared(path: string, { pieces, ...rest }: PreparedList): Promise<void> {
  const head = { ...rest, pieces: pieces.map(({ kept, ...piece }) => ({ ...piece, samples: kept.length })) };
  const audio = pieces.map(({ kept }) => Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...audio]));
}

/** Reads what `writePrepared` wrote. */
export async function readPrepared(path: string): Promise<PreparedList> {
  const bytes = await readFile(path);
  const end = bytes.indexOf(10);
  const { pieces, ...rest } = JSON.parse(bytes.toString('utf8', 0, end)) as Omit<PreparedList, 'pieces'> & {
    readonly pieces: readonly (Omit<Piece, 'kept'> & { readonly samples: number })[];
  };
  // Copied, because int16 values must begin at an even byte.
  const audio = new Int16Array(Uint8Array.prototype.slice.call(bytes, end + 1).buffer);
  let at = 0;
  return {
    ...rest,
    pieces: pieces.map(({ samples, ...piece }) => ({ ...piece, kept: audio.subarray(at, (at += samples)) })),
  };
}
