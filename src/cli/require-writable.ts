import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, extname, resolve, sep } from 'node:path';
import { VoicegateError } from '../errors.js';

/** Endings that no list and no recording has: such a file is an earlier result, wherever it lies. */
const resultEndings: ReadonlySet<string> = new Set(['.json', '.svg', '.png']);

/**
 * Makes sure before the work that its results can be written and take the place of nothing that is read.
 * @param results where they will go; undefined: nowhere
 * @param read files, and folders of files, that the work reads
 * @throws VoicegateError `invalid_request` naming the folder that is missing or may not be written to, a file that may not be, is read, or is
 *   named for two results
 */
export async function requireWritable(
  results: readonly (string | undefined)[],
  read: readonly string[] = [],
): Promise<void> {
  const named = new Set<string>();
  for (const file of results) {
    if (file === undefined) continue;
    const path = resolve(file);
    if (named.has(path)) {
      throw new VoicegateError('invalid_request', `${file} is named for two results`, {
        hint: 'Give each its own file',
      });
    }
    named.add(path);
    const folder = dirname(path);
    await access(folder, constants.W_OK).catch((cause: unknown) => {
      throw new VoicegateError('invalid_request', `${file} cannot be written`, {
        hint: `The folder ${folder} must exist and be writable (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
        cause,
      });
    });
    const there = await stat(file).catch(() => null);
    if (there === null) continue;
    if (there.isFile() && isRead(path, read)) {
      throw new VoicegateError('invalid_request', `${file} is there and may be among what is read`, {
        hint: 'Give the result another name, or another folder',
      });
    }
    const isOpen =
      there.isFile() &&
      (await access(file, constants.W_OK).then(
        () => true,
        () => false,
      ));
    if (isOpen || there.isCharacterDevice() || there.isFIFO()) continue;
    throw new VoicegateError('invalid_request', `${file} cannot be written`, {
      hint: there.isDirectory() ? 'It is a folder: name a file' : 'It is there and may not be written to',
    });
  }
}

function isRead(path: string, read: readonly string[]): boolean {
  return read
    .map((one) => resolve(one))
    .some((one) => path === one || (path.startsWith(one + sep) && !resultEndings.has(extname(path).toLowerCase())));
}
