import type { InferencePool } from '../inference/network.js';
import type { Embedding } from './embedding.js';
import type { ModelCard } from './model-card.js';

/** An embedding and what it cost. */
export interface TimedEmbedding extends Embedding {
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
  /**
   * @param samples mono, [-1, 1], at `sampleRateHz`: the speech kept
   * @param netSpeechSeconds written into the embedding, for those who weigh by it
   * @throws VoicegateError `audio_empty` when the samples are fewer than the card's shortest input; the pool's `busy`, `inference_failed`,
   *   `shutting_down`
   */
  embed(samples: Float32Array, netSpeechSeconds: number, signal?: AbortSignal): Promise<TimedEmbedding>;
}

/** Joins a pool that holds the card's network with the card. */
export function createEmbedder(pool: InferencePool, card: ModelCard): Embedder {
  throw new Error(`being built ${card.id} ${pool.status().workers}`);
}
