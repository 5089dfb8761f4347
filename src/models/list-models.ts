import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadModelCard, type ModelCard } from '../embedding/model-card.js';
import { modelFolders } from '../embedding/model-folders.js';
import { VoicegateError } from '../errors.js';
import type { CatalogueEntry } from './catalogue.js';
import { usualFrontEnd } from './families.js';

/** A speaker model that is here or could be fetched. */
export interface ListedModel {
  readonly id: string;
  /** shipped: came with Voicegate; installed: by `pull` or `add`; known: in the catalogue only; unusable: see `problem` */
  readonly state: 'shipped' | 'installed' | 'known' | 'unusable';
  /** The service is set to judge with it, or it is the one beside it. */
  readonly set: 'active' | 'second' | null;
  /** There is a calibration that fits it: the service can judge with it. */
  readonly calibrated: boolean;
  readonly frontEnd: string | null;
  readonly sampleRateHz: number | null;
  readonly dimension: number | null;
  readonly bytes: number | null;
  readonly licence: string | null;
  /** Measured by us, or claimed by others: it says which. */
  readonly figures: string;
  readonly problem: string | null;
}

export interface ListOptions {
  readonly installedModelsDir: string;
  readonly activeModelId: string;
  readonly secondModelId: string | null;
  /** Throws where the model cannot judge: no calibration, or one that does not fit. */
  readonly loadScorer: (dir: string, card: ModelCard) => Promise<unknown>;
}

/** Every speaker model here, then those of the catalogue that are not. */
export async function listModels(
  catalogue: readonly CatalogueEntry[],
  options: ListOptions,
): Promise<readonly ListedModel[]> {
  const here: ListedModel[] = [];
  for (const { id, dir, shipped } of await modelFolders(options.installedModelsDir)) {
    if (shipped && !(await isSpeakerModel(dir))) continue;
    here.push(await describe(id, dir, shipped, options));
  }
  const known = catalogue.filter((entry) => !here.some((model) => model.id === entry.id));
  return [...here, ...known.map(fromEntry)];
}

async function describe(id: string, dir: string, shipped: boolean, options: ListOptions): Promise<ListedModel> {
  const set = id === options.activeModelId ? 'active' : id === options.secondModelId ? 'second' : null;
  const nothing = { frontEnd: null, sampleRateHz: null, dimension: null, bytes: null, licence: null, figures: '' };
  try {
    const card = await loadModelCard(dir);
    const { size } = await stat(join(dir, card.file));
    const calibrated = await options.loadScorer(dir, card).then(
      () => true,
      () => false,
    );
    return {
      id,
      state: shipped ? 'shipped' : 'installed',
      set,
      calibrated,
      frontEnd: card.frontEnd.kind,
      sampleRateHz: card.frontEnd.sampleRateHz,
      dimension: card.dimension,
      bytes: size,
      licence: card.licence.spdx,
      figures: measuredIn(card),
      problem: null,
    };
  } catch (fault) {
    const problem = fault instanceof VoicegateError ? fault.message : 'its ONNX file is not there';
    return { id, state: 'unusable', set, calibrated: false, ...nothing, problem };
  }
}

/** Cards of other networks (speech activity, digits) lie in models/ too; only those of speaker models tell the length of an embedding. */
async function isSpeakerModel(dir: string): Promise<boolean> {
  const card = JSON.parse(await readFile(join(dir, 'card.json'), 'utf8')) as object;
  return 'dimension' in card;
}

function measuredIn({ measured }: ModelCard): string {
  const pooled = measured.lists.find(({ list }) => list === 'pooled') ?? measured.lists[0];
  return pooled === undefined ? 'not measured here' : `EER ${pooled.eerPercent} % ${pooled.list}, measured`;
}

function fromEntry(entry: CatalogueEntry): ListedModel {
  const [claim] = entry.claims;
  return {
    id: entry.id,
    state: 'known',
    set: null,
    calibrated: false,
    frontEnd: usualFrontEnd(entry.family).kind,
    sampleRateHz: entry.sampleRateHz,
    dimension: entry.dimension,
    bytes: entry.bytes,
    licence: entry.licence.spdx,
    figures: claim === undefined ? 'nothing claimed' : `EER ${claim.eerPercent} % ${claim.list}, claimed`,
    problem: null,
  };
}
