import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { activityNetworkOf, loadActivityCard } from '../audio/activity-card.js';
import { decodeAudio } from '../audio/decode.js';
import { SpeechActivityDetector } from '../audio/speech-activity.js';
import type { Config } from '../config.js';
import { createEmbedder } from '../embedding/embedder.js';
import { loadModelCard, networkOf, type ModelCard } from '../embedding/model-card.js';
import { resolveModelDir } from '../embedding/model-folders.js';
import { startInferencePool } from '../inference/pool.js';
import { loadCalibration, toLlr } from '../scoring/calibration.js';
import { cosine } from '../scoring/cosine.js';
import type { Decode } from '../tuning/each-recording.js';
import { createRecordingEar, type SpeechPart } from '../tuning/recording-ear.js';
import type { ScoreComparison } from '../tuning/score-trials.js';

/** The service's way from bytes to scores, for commands that measure it. */
export interface OpenEars {
  readonly card: ModelCard;
  readonly calibrationVersion: string | null;
  readonly hasCohort: boolean;
  readonly decode: Decode;
  readonly hear: ReturnType<typeof createRecordingEar>;
  readonly score: ScoreComparison;
  close(): Promise<void>;
}

/** Recordings of lists may be longer than a caller's. */
const longestSeconds = 3600;
const mostBytes = 2 ** 28;
const ffmpegTimeoutMs = 120_000;

/**
 * Loads a speaker model with its calibration if it has one, and starts one worker a core.
 * @param model a model's id, or the path of its folder (with a slash)
 * @throws VoicegateError `model_invalid`
 */
export async function openEars(config: Config, model: string, part: SpeechPart): Promise<OpenEars> {
  const dir = model.includes('/') ? resolve(model) : resolveModelDir(model, config.installedModelsDir);
  const activityDir = resolveModelDir('activity-8k', config.installedModelsDir);
  const card = await loadModelCard(dir);
  const activityCard = await loadActivityCard(activityDir);
  const calibrationPath = join(dir, 'calibration.json');
  const calibration = existsSync(calibrationPath) ? await loadCalibration(calibrationPath, card) : null;
  const pool = await startInferencePool({
    networks: [networkOf(card, dir), activityNetworkOf(activityCard, activityDir)],
    workers: config.workers,
    queueLimit: 10_000,
  });
  const activity = new SpeechActivityDetector(pool, activityCard);
  const limits = {
    maxBytes: mostBytes,
    maxSeconds: longestSeconds,
    ffmpegTimeoutMs,
    ffmpegPath: config.ffmpegPath,
    ffmpegProcesses: config.workers,
  };
  return {
    card,
    calibrationVersion: calibration?.version ?? null,
    hasCohort: false,
    decode: async (bytes) =>
      (await decodeAudio(bytes, { targetRateHz: activity.sampleRateHz, channel: 'mono', limits })).waveform,
    hear: createRecordingEar({ activity, embedder: createEmbedder(pool, card), part }),
    score: ({ enrolment, test }) => {
      const value = cosine(enrolment.vector, test.vector);
      const speech = {
        enrolNetSpeechSeconds: enrolment.netSpeechSeconds,
        testNetSpeechSeconds: test.netSpeechSeconds,
      };
      return { cosine: value, normalised: value, llr: calibration && toLlr(value, speech, calibration) };
    },
    close: () => pool.close(),
  };
}
