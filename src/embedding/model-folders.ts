import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VoicegateError } from '../errors.js';
import { modelsDir } from '../paths.js';

/** A model's folder. */
export interface ModelFolder {
  readonly id: string;
  /** Absolute. */
  readonly dir: string;
  /** Came with Voicegate; otherwise it was installed. */
  readonly shipped: boolean;
}

/**
 * The folder of a model: that of models/ if there is one of this name, else that of the installed models. So nothing that is installed can take
 * the place of a model that came with Voicegate.
 * @param modelId a folder's name
 * @param installedModelsDir `config.installedModelsDir`; need not exist
 * @returns absolute path of a folder with a card.json
 * @throws VoicegateError `model_invalid` naming the folders that were looked at
 */
export function resolveModelDir(modelId: string, installedModelsDir: string): string {
  const places = [modelsDir, installedModelsDir];
  if (isModelId(modelId)) {
    for (const place of places) {
      const dir = join(place, modelId);
      if (existsSync(join(dir, 'card.json'))) return dir;
    }
  }
  throw new VoicegateError('model_invalid', `there is no model ${modelId} in ${places.join(' or ')}`, {
    hint: '`voicegate models list` shows what there is; `voicegate models pull` and `add` install more',
  });
}

/** Every folder with a card, of whatever kind of model: those that came with Voicegate first, each part in the order of ids. */
export async function modelFolders(installedModelsDir: string): Promise<readonly ModelFolder[]> {
  const found: ModelFolder[] = [];
  for (const [place, shipped] of [
    [modelsDir, true],
    [installedModelsDir, false],
  ] as const) {
    const names = existsSync(place) ? await readdir(place) : [];
    for (const id of names.filter(isModelId).sort()) {
      const dir = join(place, id);
      if (existsSync(join(dir, 'card.json')) && !found.some((folder) => folder.id === id)) {
        found.push({ id, dir, shipped });
      }
    }
  }
  return found;
}

/** Names that a model's folder may have: no path leads out of it, and nothing that begins with a dot is one. */
export function isModelId(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/.test(name);
}
