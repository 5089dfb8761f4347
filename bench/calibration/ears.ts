import { join } from 'node:path';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { loadModelCard, networkOf, type ModelCard } from '../../src/embedding/model-card.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import { createEars, type Ears } from '../../src/service/listen.js';

/** What the service would hear with a model, and the end of its threads. */
export interface OpenEars {
  readonly ears: Ears;
  readonly card: ModelCard;
  close(): Promise<void>;
}

/** Decoder, speech activity, quality and embedding, joined as the service joins them, on one worker thread. */
export async function openEars(modelId: string, activityId: string): Promise<OpenEars> {
  const modelDir = join(modelsDir, modelId);
  const activityDir = join(modelsDir, activityId);
  const card = await loadModelCard(modelDir);
  const activityCard = await loadActivityCard(activityDir);
  const pool = await startInferencePool({
    networks: [networkOf(card, modelDir), activityNetworkOf(activityCard, activityDir)],
    workers: 1,
    queueLimit: 100,
  });
  const ears = createEars({
    limits: {
      maxBytes: 64 * 2 ** 20,
      maxSeconds: 600,
      ffmpegTimeoutMs: 60_000,
      ffmpegPath: 'ffmpeg',
      ffmpegProcesses: 2,
    },
    activity: new SpeechActivityDetector(pool, activityCard),
    embedders: [createEmbedder(pool, card)],
    onStage: () => undefined,
  });
  return { ears, card, close: () => pool.close() };
}
