import { VoicegateError } from '../errors.js';
import type { InferencePool } from '../inference/network.js';
import type { Embedding } from './embedding.js';
import type { ModelCard } from './model-card.js';

/** An embedding and what it cost. */
export interface TimedEmbedding extends Embedding {
  /** Waiting for a free worker. */
  readonly queuedMs: number;
  readonly featuresMs: number;
  readonly networkMs: number;
}

/** Samples → embedding, by one model. */
export interface Embedder {
  readonly modelId: string;
  /** Rate that samples must have. */
  readonly sampleRateHz: number;
  /** Length of every vector. */
  readonly dimension: number;
  /** Fewer samples than this are refused. */
  readonly shortestSamples: number;
  /**
   * @param samples finite, mono, [-1, 1], at `sampleRateHz`: the speech kept; copied
   * @param netSpeechSeconds written into the embedding, for those who weigh by it
   * @throws VoicegateError `audio_empty` for fewer than `shortestSamples`; the pool's `busy`, `inference_failed`, `shutting_down`; the
   *   signal's reason when aborted
   */
  embed(samples: Float32Array, netSpeechSeconds: number, signal?: AbortSignal): Promise<TimedEmbedding>;
}

/** Joins a card with a pool that holds the card's network. */
export function createEmbedder(
  pool: Pick<InferencePool, 'run'>,
  card: Pick<ModelCard, 'id' | 'frontEnd' | 'dimension' | 'shortestSeconds'>,
): Embedder {
  const { sampleRateHz } = card.frontEnd;
  const shortestSamples = Math.ceil(card.shortestSeconds * sampleRateHz);
  return {
    modelId: card.id,
    sampleRateHz,
    dimension: card.dimension,
    shortestSamples,
    async embed(samples, netSpeechSeconds, signal) {
      if (samples.length < shortestSamples) {
        const seconds = samples.length / sampleRateHz;
        throw new VoicegateError(
          'audio_empty',
          `${seconds.toFixed(2)} s of speech are too short for model ${card.id}`,
          {
            hint: `At least ${card.shortestSeconds} s are needed`,
            details: { seconds, shortestSeconds: card.shortestSeconds },
          },
        );
      }
      const { values, dims, queuedMs, featuresMs, networkMs } = await pool.run(card.id, samples, signal);
      if (values.length !== card.dimension) {
        throw new VoicegateError(
          'model_invalid',
          `model ${card.id} gives [${dims.join(', ')}] values, its card says dimension ${card.dimension}`,
        );
      }
      return {
        vector: unitLength(values, card.id),
        modelId: card.id,
        netSpeechSeconds,
        queuedMs,
        featuresMs,
        networkMs,
      };
    },
  };
}

/** In place. @throws VoicegateError `inference_failed` where there is no direction to keep */
function unitLength(vector: Float32Array, modelId: string): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (!(squares > 0 && squares < Infinity)) {
    throw new VoicegateError('inference_failed', `model ${modelId} gave an embedding without a direction`, {
      hint: 'Do the samples hold numbers that are not finite?',
    });
  }
  const factor = 1 / Math.sqrt(squares);
  for (let index = 0; index < vector.length; index++) vector[index] = (vector[index] ?? 0) * factor;
  return vector;
}
