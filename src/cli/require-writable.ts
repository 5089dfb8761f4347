import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { VoicegateError } from '../errors.js';

/**
 * Makes sure before the work that its results can be written.
 * @param files where they will go; undefined: nowhere
 * @throws VoicegateError `invalid_request` naming the folder that is missing or may not be written to
 */
export async function requireWritable(...files: readonly (string | undefined)[]): Promise<void> {
  for (const file of files) {
    if (file === undefined) continue;
    const folder = dirname(resolve(file));
    await access(folder, constants.W_OK).catch((cause: unknown) => {
      throw new VoicegateError('invalid_request', `${file} cannot be written`, {
        hint: `The folder ${folder} must exist and be writable (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
        cause,
      });
    });
  }
}
