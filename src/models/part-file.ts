import { open, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { VoicegateError } from '../errors.js';

/** A download that was begun: `<path>` holds its bytes so far, `<path>.json` what they are a part of. */
export interface Part {
  readonly bytes: number;
  /** A strong ETag or a date, good for `If-Range`; null: the server gives neither, so the part cannot be gone on with. */
  readonly validator: string | null;
}

const none: Part = { bytes: 0, validator: null };

/** What is there of an earlier try; nothing where it cannot be gone on with. */
export async function readPart(path: string): Promise<Part> {
  try {
    const { validator } = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { validator?: unknown };
    return typeof validator === 'string' ? { bytes: (await stat(path)).size, validator } : none;
  } catch {
    return none;
  }
}

/** Takes note of the server's version of the file, and opens the part to be written at its end (`kept` bytes) or anew (0). */
export async function openPart(path: string, kept: number, validator: string | null): Promise<FileHandle> {
  await withRoom(path, () => writeFile(`${path}.json`, JSON.stringify({ validator })));
  return open(path, kept > 0 ? 'a' : 'w');
}

/** Forgets a part. */
export async function discardPart(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.json`, { force: true });
}

/**
 * The header that a part can be checked by (RFC 9110, 13.1.5): a strong ETag, else the date of the last change.
 * A date may hide a change within its second; the hash at the end does not.
 */
export function validatorOf(headers: Headers): string | null {
  const etag = headers.get('etag');
  return etag !== null && !etag.startsWith('W/') ? etag : headers.get('last-modified');
}

/** @throws VoicegateError `download_failed` where the work found the disk full or the quota used up */
export async function withRoom<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
    throw new VoicegateError('download_failed', `there is no room left for ${path}`, {
      hint: 'Make room, or set VOICEGATE_MODELS_DIR to a larger disk; the part that arrived stays and is gone on with',
      cause,
    });
  }
}
