import { readdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { VoicegateError } from '../errors.js';
import { listFault, readTable } from './list-lines.js';

/** A part of a file; null: all of it. */
export interface ReferencePart {
  readonly startSample: number;
  readonly samples: number;
}

/** A file of speech that a model was trained on. */
export interface ReferenceFile {
  /** Absolute path. */
  readonly file: string;
  /** Who speaks; the file's name where nothing says it. */
  readonly speaker: string;
  /** Utterances in it, in samples of 8 kHz; empty: the whole file is one. */
  readonly parts: readonly ReferencePart[];
}

const audioEndings = new Set(['.wav', '.flac', '.ogg', '.opus', '.mp3', '.m4a', '.mp4', '.amr', '.webm', '.aac']);

/**
 * What a folder holds of training speech: every table in it (*.tsv) with a column `file`, and `speaker`, `start_sample`, `samples` if they are
 * there; without such a table every audio file in it and below.
 * @throws VoicegateError `invalid_request` when it cannot be read or holds neither, or naming file and line
 */
export async function readReferenceSpeech(folder: string): Promise<readonly ReferenceFile[]> {
  const root = resolve(folder);
  const names = await readdir(root, { recursive: true }).catch((cause: unknown) => {
    throw new VoicegateError('invalid_request', `the folder ${folder} cannot be read`, { cause });
  });
  const tables = names.filter((name) => name.endsWith('.tsv') && !name.includes('/')).sort();
  const files = new Map<string, { speaker: string; parts: ReferencePart[] }>();
  for (const table of tables) await addTable(root, table, files);
  if (files.size === 0) {
    for (const name of names.sort()) {
      if (!audioEndings.has(extname(name).toLowerCase())) continue;
      files.set(join(root, name), { speaker: basename(name, extname(name)), parts: [] });
    }
  }
  if (files.size > 0) return [...files].map(([file, rest]) => ({ file, ...rest }));
  throw new VoicegateError('invalid_request', `no speech in ${folder}`, {
    hint: 'It holds tables (*.tsv) with a column file, or audio files',
  });
}

async function addTable(
  root: string,
  table: string,
  files: Map<string, { speaker: string; parts: ReferencePart[] }>,
): Promise<void> {
  for (const { values, ...place } of await readTable(join(root, table), ['file'])) {
    const path = resolve(root, values['file'] ?? '');
    const found = files.get(path) ?? { speaker: values['speaker'] || basename(path, extname(path)), parts: [] };
    files.set(path, found);
    if (!values['samples']) continue;
    const part = { startSample: Number(values['start_sample'] || 0), samples: Number(values['samples']) };
    if (!(Number.isInteger(part.startSample) && part.startSample >= 0 && part.samples > 0)) {
      throw listFault(place, 'start_sample and samples are no range', 'Whole numbers of samples at 8 kHz');
    }
    found.parts.push(part);
  }
}
