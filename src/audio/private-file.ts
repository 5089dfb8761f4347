import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Lends the bytes as a file that only this user can read, and removes it before returning, whatever `use` does.
 * The only place where audio touches a disk: for a container that must be sought in. TMPDIR on a tmpfs keeps it in memory.
 *
 * @param use gets the absolute path, whose name says nothing about the upload
 */
export async function withPrivateFile<T>(bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'voicegate-'));
  try {
    const path = join(folder, 'audio');
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
