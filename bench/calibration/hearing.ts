import { join } from 'node:path';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { networkOf, type ModelCard } from '../../src/embedding/model-card.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import type { PreparedList } from './prepared.js';
import type { Embedded } from './scored-lists.js';
import type { Detect } from './training-lists.js';

/** Less net speech is not embedded, as in the service, seconds. */
const leastSpeechSeconds = 0.3;

/** Speech activity and one speaker model on worker threads. */
export interface Hearing {
  readonly detect: Detect;
  /** Embeds all pieces of a list; rerun, not kept. */
  embed(list: PreparedList): Promise<Embedded>;
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
    async embed({ pieces }) {
      const heard = pieces.filter(
        ({ kept, netSpeechSeconds }) =>
          netSpeechSeconds >= leastSpeechSeconds && kept.length >= embedder.shortestSamples,
      );
      const vectors = await Promise.all(
        heard.map(({ kept, netSpeechSeconds }) =>
          embedder.embed(
            Float32Array.from(kept, (sample) => sample / 32768),
            netSpeechSeconds,
          ),
        ),
      );
      return new Map(heard.map(({ id }, i) => [id, vectors[i]?.vector as Float32Array]));
    },
    close: () => pool.close(),
  };
}
