import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelCard } from '../embedding/model-card.js';
import { VoicegateError } from '../errors.js';
import { takeLock } from '../ops/process-lock.js';
import { ofEntry, type CatalogueEntry } from './catalogue.js';
import { download } from './download.js';
import { shownAddress } from './download-request.js';
import { installModel, refuseTakenId } from './install-model.js';
import { discardPart, readPart } from './part-file.js';

/** How a catalogued model is to be fetched. */
export interface PullOptions {
  readonly installedModelsDir: string;
  /** In place of the catalogue's address. */
  readonly url?: string | undefined;
  readonly allowHttp: boolean;
  /** See DownloadOrder. */
  readonly stallMs?: number;
  readonly onStart: (already: number, total: number | null) => void;
  readonly onBytes: (done: number) => void;
}

/** Largest file taken where the catalogue does not know the size. */
const mostBytes = 512 * 2 ** 20;
const stallMs = 30_000;

/**
 * Fetches a model of the catalogue and installs it. What a cut pull has fetched lies in `.downloads` and the next one goes on with it.
 * @returns its card
 * @throws VoicegateError as `download` and `installModel`; `conflict` while another process pulls the same model
 */
export async function pullModel(entry: CatalogueEntry, options: PullOptions): Promise<ModelCard> {
  const { installedModelsDir } = options;
  const url = options.url ?? entry.address;
  if (url === null) {
    throw new VoicegateError('invalid_request', `the catalogue has no address for ${entry.id}`, {
      hint: `Give it with --url: ${entry.file}, ${entry.published}`,
    });
  }
  await refuseTakenId(entry.id, installedModelsDir);
  const downloads = join(installedModelsDir, '.downloads');
  await mkdir(downloads, { recursive: true, mode: 0o700 });
  const path = join(downloads, `${entry.id}.onnx`);
  const unlock = lock(path, entry.id);
  try {
    await refuseWithoutRoom(path, downloads, entry.bytes);
    await download({ ...entry, ...options, url, path, mostBytes, stallMs: options.stallMs ?? stallMs });
    const { notes, ...known } = ofEntry(entry);
    const fetched = `Fetched from ${shownAddress(url)} on ${new Date().toISOString().slice(0, 10)}.`;
    const card = await installModel({
      ...known,
      id: entry.id,
      file: path,
      family: entry.family,
      sampleRateHz: entry.sampleRateHz,
      installedModelsDir,
      notes: [fetched, ...notes],
    });
    await discardPart(path);
    return card;
  } finally {
    unlock();
  }
}

function lock(path: string, id: string): () => void {
  try {
    return takeLock(`${path}.lock`, `the download of ${id}`);
  } catch (cause) {
    if (!(cause instanceof VoicegateError)) throw cause;
    throw new VoicegateError('conflict', cause.message, { ...(cause.hint === undefined ? {} : { hint: cause.hint }), cause });
  }
}

/** The file is there twice while it is installed. */
async function refuseWithoutRoom(path: string, dir: string, bytes: number | null): Promise<void> {
  if (bytes === null) return;
  const { bavail, bsize } = await statfs(dir);
  const needed = 2 * bytes - (await readPart(path)).bytes;
  if (bavail * bsize >= needed) return;
  throw new VoicegateError('download_failed', `${dir} has room for ${bavail * bsize} bytes, ${needed} are needed`, {
    hint: 'Make room, or set VOICEGATE_MODELS_DIR to a larger disk',
  });
}
