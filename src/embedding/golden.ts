import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import type { InferencePool } from '../inference/network.js';
import { createEmbedder } from './embedder.js';
import { sweepsAndBursts } from '../inference/golden-signal.js';
import type { ModelCard } from './model-card.js';

/** The part of a golden file that is checked; it may say more for people (origin, rows of log-mel values). */
const goldenSchema = Type.Object({ embedding_unit_length: Type.Array(Type.Number(), { minItems: 2 }) });

/**
 * Embeds the card's golden signal in the warm pool and compares: the whole path from samples to embedding is the one the model was measured with.
 * @param dir the card's folder
 * @returns cosine to the golden embedding
 * @throws VoicegateError `model_invalid` when the golden file does not fit the card or the embedding differs
 */
export async function checkGolden(pool: InferencePool, card: ModelCard, dir: string): Promise<number> {
  const golden = await readGolden(card, dir);
  const { vector } = await createEmbedder(pool, card).embed(sweepsAndBursts(card.frontEnd.sampleRateHz), 0);
  const cosine = cosineTo(vector, golden);
  if (cosine >= card.golden.minimumCosine) return cosine;
  throw new VoicegateError(
    'model_invalid',
    `model ${card.id}: its embedding of the golden signal has cosine ${cosine.toFixed(6)} to the golden one, ` +
      `at least ${card.golden.minimumCosine} is wanted`,
    { hint: 'Does the front-end of the card describe the one that the model was trained with?', details: { cosine } },
  );
}

async function readGolden(card: ModelCard, dir: string): Promise<readonly number[]> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new VoicegateError('model_invalid', `model ${card.id}: ${card.golden.file} ${reason}`, {
      hint: 'models/README.md says what a golden file holds',
      ...(cause === undefined ? {} : { cause }),
    });
  };
  const text = await readFile(join(dir, card.golden.file), 'utf8').catch((cause: unknown) =>
    refuse('cannot be read', cause),
  );
  let golden: unknown;
  try {
    golden = JSON.parse(text);
  } catch (cause) {
    return refuse('is not JSON', cause);
  }
  if (!Value.Check(goldenSchema, golden)) return refuse('has no list of numbers embedding_unit_length');
  const vector = golden.embedding_unit_length;
  if (vector.length !== card.dimension) return refuse(`holds ${vector.length} values, the card says ${card.dimension}`);
  return vector;
}

/** The golden vector is rounded for printing, so its length is divided out again. */
function cosineTo(vector: Float32Array, golden: readonly number[]): number {
  const dot = golden.reduce((sum, value, index) => sum + value * (vector[index] ?? 0), 0);
  return dot / (Math.hypot(...golden) * Math.hypot(...vector));
}
