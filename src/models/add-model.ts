import { basename } from 'node:path';
import type { ModelCard } from '../embedding/model-card.js';
import { VoicegateError } from '../errors.js';
import { ofEntry, type CatalogueEntry } from './catalogue.js';
import { familyIds, type FamilyId } from './families.js';
import { fileSha256 } from './file-sha256.js';
import { installModel } from './install-model.js';

/** What the operator says of a local file; what the catalogue knows of it need not be said. */
export interface AddOptions {
  readonly installedModelsDir: string;
  readonly id?: string | undefined;
  readonly family?: FamilyId | undefined;
  readonly outputName?: string | undefined;
  readonly sampleRateHz?: number | undefined;
  /** SPDX id of the weights' licence. */
  readonly licence?: string | undefined;
  readonly attribution?: string | undefined;
}

/**
 * Installs a local ONNX file. A file of the catalogue is known by its hash, whatever its name.
 * @returns the card
 * @throws VoicegateError `invalid_request` when the file cannot be read or its family is not known; `model_invalid` when it is not the file
 *   that the catalogue means by that id; as `installModel`
 */
export async function addModel(
  file: string,
  catalogue: readonly CatalogueEntry[],
  options: AddOptions,
): Promise<ModelCard> {
  const sha256 = await fileSha256(file).catch((cause: unknown) => {
    throw new VoicegateError('invalid_request', `${file} cannot be read`, { hint: 'Give the path of an ONNX file', cause });
  });
  const entry = catalogue.find((candidate) => candidate.sha256 === sha256);
  const meant = catalogue.find((candidate) => candidate.id === options.id);
  if (meant !== undefined && meant !== entry) {
    throw new VoicegateError('model_invalid', `${basename(file)} is not the catalogue’s ${meant.id}: its sha256 is ${sha256}`, {
      hint: `Expected ${meant.sha256}; install another file under another --id`,
    });
  }
  const family = options.family ?? entry?.family;
  if (family === undefined) {
    throw new VoicegateError('invalid_request', `the catalogue does not know ${basename(file)}: of which family is it?`, {
      hint: `--family ${familyIds.join(', ')}; its sha256 is ${sha256}`,
    });
  }
  const today = new Date().toISOString().slice(0, 10);
  const { notes, ...known } = entry === undefined ? unknownTo(options) : ofEntry(entry);
  return installModel({
    ...options,
    ...known,
    id: options.id ?? entry?.id ?? basename(file, '.onnx'),
    family,
    file,
    notes: [`Installed from the file ${basename(file)} on ${today} as one of the family ${family}.`, ...notes],
  });
}

function unknownTo({ licence, attribution }: AddOptions): ReturnType<typeof ofEntry> {
  return {
    // SPDX's words for a licence that nobody stated.
    licence: { spdx: licence ?? 'NOASSERTION', attribution: attribution ?? 'not stated when it was installed' },
    trainedOn: [{ corpus: 'not stated when it was installed', licence: 'NOASSERTION', speakers: null }],
    notes: [],
  };
}
