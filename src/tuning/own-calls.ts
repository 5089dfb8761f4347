import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { VoicegateError } from '../errors.js';
import { isFile, listFault, readTable } from './list-lines.js';

/** A recording of an operator's own. */
export interface OwnCall {
  /** Absolute path. */
  readonly file: string;
  /** Who speaks, by whatever name the operator uses; null where nobody said. */
  readonly speaker: string | null;
}

/**
 * An operator's own calls: a table with a column `file` and perhaps `speaker` (empty where unknown), paths relative to the table; or
 * a folder, with such a table named calls.tsv in it or else every file of it, by nobody known. Audio is not opened.
 * @throws VoicegateError `invalid_request` naming file and line, also for a recording that is there twice
 */
export async function readOwnCalls(path: string): Promise<readonly OwnCall[]> {
  const calls = await callsAt(path);
  if (calls.length > 0) return calls;
  throw new VoicegateError('invalid_request', `no recording is listed in ${path}`, {
    hint: 'One line for each recording under the head, or a folder that holds them',
  });
}

async function callsAt(path: string): Promise<readonly OwnCall[]> {
  if (await isFile(path)) return listedCalls(path);
  const table = join(path, 'calls.tsv');
  if (await isFile(table)) return listedCalls(table);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new VoicegateError('invalid_request', `there are no calls at ${path}`, {
      hint: 'Name a table with a column file (and speaker where known), or a folder of recordings',
    });
  }
  const names = await readdir(path, { withFileTypes: true });
  return names
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ file: resolve(path, name), speaker: null }))
    .sort((a, b) => (basename(a.file) < basename(b.file) ? -1 : 1));
}

async function listedCalls(table: string): Promise<OwnCall[]> {
  const rows = await readTable(table, ['file']);
  const lineOf = new Map<string, number>();
  return rows.map(({ values, ...place }) => {
    const file = resolve(dirname(table), values.file ?? '');
    const before = lineOf.get(file);
    if (before !== undefined) {
      throw listFault(
        place,
        `${basename(file)} is on line ${before} already`,
        'Each recording once, under one speaker',
      );
    }
    lineOf.set(file, place.line);
    return { file, speaker: values.speaker === undefined || values.speaker === '' ? null : values.speaker };
  });
}
