import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { VoicegateError } from '../errors.js';

/**
 * Makes sure before the work that its results can be written.
 * @param files where they will go; undefined: nowhere
 * @throws VoicegateError `invalid_request` naming the folder that is missing or may not be written to, a file that may not be, or one that is
 *   named for two results
 */
export async function requireWritable(...files: readonly (string | undefined)[]): Promise<void> {
  const named = new Set<string>();
  for (const file of files) {
    if (file === undefined) continue;
    if (named.has(resolve(file))) {
      throw new VoicegateError('invalid_request', `${file} is named for two results`, {
        hint: 'Give each its own file',
      });
    }
    named.add(resolve(file));
    const folder = dirname(resolve(file));
    await access(folder, constants.W_OK).catch((cause: unknown) => {
      throw new VoicegateError('invalid_request', `${file} cannot be written`, {
        hint: `The folder ${folder} must exist and be writable (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
        cause,
      });
    });
    const there = await stat(file).catch(() => null);
    if (there === null) continue;
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
