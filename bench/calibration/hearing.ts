import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { networkOf, type ModelCard } from '../../src/embedding/model-card.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import type { Piece, PreparedList } from './prepared.js';
import type { Embedded } from './scored-lists.js';
import type { Detect } from './training-lists.js';

/** Less net speech is not embedded, as in the service, seconds. */
const leastSpeechSeconds = 0.3;

/** Speech activity and one speaker model on worker threads. */
export interface Hearing {
  readonly detect: Detect;
  /** Embeds all pieces of a list; kept in a file, so that another fit of the same weights need not. */
  embed(list: PreparedList, path: string): Promise<Embedded>;
  close(): Promise<void>;
}

/** @param dir the card's folder */
export async function openHearing(card: ModelCard, dir: string, workers: number): Promise<Hearing> {
  const activityDir = join(modelsDir, 'activity-8k');
  const activityCard = await loadActivityCard(activityDir);
  const pool = await startInferencePool({
    networks: [networkOf(card, dir), activityNetworkOf(activityCard, activityDir)],
    workers,
    queueLimit: 10_000,
  });
  const detector = new SpeechActivityDetector(pool, activityCard);
  const embedder = createEmbedder(pool, card);
  return {
    detect: (samples) => detector.detect({ samples, sampleRateHz: 8000 }),
    async embed({ pieces }, path) {
      const heard = pieces.filter(
        ({ kept, netSpeechSeconds }) =>
          netSpeechSeconds >= leastSpeechSeconds && kept.length >= embedder.shortestSamples,
      );
      const kept = existsSync(path) ? await readFile(path) : null;
      if (kept !== null) return vectorsOf(heard, new Float32Array(Uint8Array.from(kept).buffer), embedder.dimension);
      const vectors = await Promise.all(
        heard.map(({ kept, netSpeechSeconds }) =>
          embedder.embed(
            Float32Array.from(kept, (sample) => sample / 32768),
            netSpeechSeconds,
          ),
        ),
      );
      const flat = Float32Array.from(vectors.flatMap(({ vector }) => [...vector]));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, new Uint8Array(flat.buffer));
      return vectorsOf(heard, flat, embedder.dimension);
    },
    close: () => pool.close(),
  };
}

function vectorsOf(heard: readonly Piece[], flat: Float32Array, dimension: number): Embedded {
  return new Map(heard.map(({ id }, i) => [id, flat.subarray(i * dimension, (i + 1) * dimension)]));
}
