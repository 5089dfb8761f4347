import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createEmbedder } from '../embedding/embedder.js';
import { sweepsAndBursts } from '../inference/golden-signal.js';
import { loadModelCard, networkOf, type ModelCard } from '../embedding/model-card.js';
import { isModelId, modelFolders } from '../embedding/model-folders.js';
import { VoicegateError } from '../errors.js';
import { describeNetwork } from '../inference/describe-network.js';
import { startInferencePool } from '../inference/pool.js';
import type { FamilyId } from './families.js';
import { fileSha256 } from './file-sha256.js';
import { fitNetwork, type Wishes } from './fit-network.js';

/** A model to be installed. */
export interface Installation extends Wishes {
  readonly id: string;
  /** Path of the ONNX file; it is copied. */
  readonly file: string;
  readonly family: FamilyId;
  readonly installedModelsDir: string;
  readonly licence: ModelCard['licence'];
  readonly trainedOn: ModelCard['trainedOn'];
  /** For people: where it is from, what is claimed of it, what nobody knows. */
  readonly notes: readonly string[];
}

/** Lengths tried to find the shortest that the network takes, seconds. */
const lengthsTriedSeconds = [0.3, 0.5, 1, 2] as const;

/**
 * Puts an ONNX file among the installed models: its tensors are fitted to the family, the network runs on the golden signal, card and golden
 * embedding are written. The folder appears whole or not at all.
 * @returns the card
 * @throws VoicegateError `conflict` when there is a model of this id; `model_invalid` when the file does not fit or does not run;
 *   `invalid_request` for an id that is no folder's name
 */
export async function installModel(order: Installation): Promise<ModelCard> {
  await refuseTakenId(order.id, order.installedModelsDir);
  await mkdir(order.installedModelsDir, { recursive: true, mode: 0o700 });
  const around = await mkdtemp(join(order.installedModelsDir, '.installing-'));
  try {
    const dir = join(around, order.id);
    await mkdir(dir);
    await copyFile(order.file, join(dir, onnxFile), constants.COPYFILE_FICLONE);
    const { card, golden } = await tryOut(order, dir);
    await writeFile(join(dir, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
    await writeFile(join(dir, card.golden.file), `${JSON.stringify(golden)}\n`);
    await loadModelCard(dir);
    await toDisk(dir);
    await rename(dir, join(order.installedModelsDir, order.id)).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOTEMPTY' || cause.code === 'EEXIST') throw taken(order.id, cause);
      throw cause;
    });
    return card;
  } finally {
    await rm(around, { recursive: true, force: true });
  }
}

/** @throws VoicegateError `conflict`, `invalid_request` as `installModel` */
export async function refuseTakenId(id: string, installedModelsDir: string): Promise<void> {
  if (!isModelId(id)) {
    throw new VoicegateError('invalid_request', `${id} cannot be a model's id`, {
      hint: '1 to 80 of A-Z a-z 0-9 . _ -, beginning with a letter or digit; give another with --id',
    });
  }
  if ((await modelFolders(installedModelsDir)).some((folder) => folder.id === id)) throw taken(id);
}

function taken(id: string, cause?: unknown): VoicegateError {
  return new VoicegateError('conflict', `there is a model ${id} already`, {
    hint: 'Give another id, or remove that model’s folder first if nothing needs it any more: voiceprints name their model',
    ...(cause === undefined ? {} : { cause }),
  });
}

const onnxFile = 'model.onnx';

/** Runs the network in the pool that will serve it. */
async function tryOut(order: Installation, dir: string): Promise<{ card: ModelCard; golden: object }> {
  const path = join(dir, onnxFile);
  const { dimension: dimensionInFile, ...network } = fitNetwork(await describeNetwork(path), order.family, order);
  const sha256 = await fileSha256(path);
  const { sampleRateHz } = network.frontEnd;
  const draft = { id: order.id, file: onnxFile, sha256, ...network };
  const pool = await startInferencePool({ networks: [networkOf(draft, dir)], workers: 1, queueLimit: 4 });
  try {
    const signal = sweepsAndBursts(sampleRateHz);
    const { dims } = await pool.run(order.id, signal);
    const dimension = embeddingLength(dims, dimensionInFile);
    const embedder = createEmbedder(pool, { ...draft, dimension, shortestSeconds: 0 });
    const { vector } = await embedder.embed(signal, 0);
    refuseChance(vector, (await embedder.embed(signal, 0)).vector);
    let shortestSeconds = 0;
    for (const seconds of lengthsTriedSeconds) {
      shortestSeconds = seconds;
      const runs = embedder.embed(signal.subarray(0, Math.ceil(seconds * sampleRateHz)), 0);
      if (await runs.then(() => true, () => false)) break;
    }
    return { card: cardOf(order, { ...draft, dimension, shortestSeconds }), golden: goldenOf(vector) };
  } finally {
    await pool.close();
  }
}

/** One embedding must come out: as many values as its last axis is long, and as many as the file says. */
function embeddingLength(dims: readonly number[], inFile: number | null): number {
  const length = dims.at(-1) ?? 0;
  if (length > 1 && dims.slice(0, -1).every((size) => size === 1) && (inFile === null || inFile === length)) return length;
  const wanted = inFile === null ? '[1, dimension]' : `[1, ${inFile}]`;
  throw new VoicegateError('model_invalid', `the network gives [${dims.join(', ')}], an embedding is ${wanted}`, {
    hint: 'Is another of its outputs the embedding? Name it with --output',
  });
}

/** A network that was exported with its training noise left in gives two embeddings of one signal. */
function refuseChance(one: Float32Array, other: Float32Array): void {
  const cosine = one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
  if (cosine > leastCosine) return;
  throw new VoicegateError('model_invalid', `two runs on the same samples differ: cosine ${cosine.toFixed(6)}`, {
    hint: 'Was the network exported in evaluation mode?',
  });
}

const leastCosine = 0.9999;

type Network = Pick<
  ModelCard,
  'id' | 'file' | 'sha256' | 'frontEnd' | 'input' | 'outputName' | 'dimension' | 'shortestSeconds'
>;

function cardOf(order: Installation, network: Network): ModelCard {
  return {
    ...network,
    licence: order.licence,
    trainedOn: order.trainedOn,
    measured: { conditions: 'Nothing was measured here: `voicegate eval --model` does', lists: [] },
    golden: { signal: 'sweeps-and-bursts', file: 'golden.json', minimumCosine: leastCosine },
    notes: [...order.notes],
  };
}

function goldenOf(vector: Float32Array): object {
  return {
    origin: 'installed here',
    meaning:
      'What the first run on this machine gave, not what the makers of the model got: it shows a change since, not that the front-end is theirs.',
    embedding_unit_length: [...vector].map((value) => Number(value.toFixed(7))),
  };
}

/** What is renamed into its place must not be empty after a power cut. */
async function toDisk(dir: string): Promise<void> {
  for (const path of [...(await readdir(dir)).map((name) => join(dir, name)), dir]) {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  }
}
