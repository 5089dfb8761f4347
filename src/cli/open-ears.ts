import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { activityNetworkOf, loadActivityCard } from '../audio/activity-card.js';
import { decodeAudio, resample } from '../audio/decode.js';
import { SpeechActivityDetector } from '../audio/speech-activity.js';
import type { Config } from '../config.js';
import { VoicegateError } from '../errors.js';
import { modelsDir } from '../paths.js';
import { createEmbedder } from '../embedding/embedder.js';
import { checkResponse, isMatch } from '../challenge/check-response.js';
import { createDigitRecogniser, type DigitRecogniser } from '../challenge/digit-recogniser.js';
import type { Language } from '../challenge/languages.js';
import { loadRecogniserCard, recogniserNetworkOf } from '../challenge/recogniser-card.js';
import { loadModelCard, networkOf, type ModelCard } from '../embedding/model-card.js';
import { resolveModelDir } from '../embedding/model-folders.js';
import { startInferencePool } from '../inference/pool.js';
import { cosine } from '../scoring/cosine.js';
import { loadScorer, scoreVoice, type Scorer } from '../scoring/score-voice.js';
import type { Decode } from '../tuning/each-recording.js';
import type { PhraseEar } from '../tuning/evaluate-phrases.js';
import { createRecordingEar, type SpeechPart } from '../tuning/recording-ear.js';
import type { ScoreComparison } from '../tuning/score-trials.js';

/** The service's way from bytes to scores, for commands that measure it. */
export interface OpenEars {
  readonly card: ModelCard;
  /** Null where the model has no calibration. */
  readonly scorer: Scorer | null;
  readonly decode: Decode;
  readonly hear: ReturnType<typeof createRecordingEar>;
  readonly score: ScoreComparison;
  /** Null where no digit recogniser is installed. */
  readonly phrases: (PhraseEar & { readonly recogniserId: string }) | null;
  close(): Promise<void>;
}

/** The recogniser that is shipped; while it is not, phrases are not measured. */
export const defaultRecogniser = 'digits-8k';

/** Recordings of lists may be longer than a caller's. */
const longestSeconds = 3600;
const mostBytes = 2 ** 28;
const ffmpegTimeoutMs = 120_000;

/**
 * Loads a speaker model with its calibration if it has one, and starts one worker a core.
 * @param model a model's id, or the path of its folder (with a slash); `digits` likewise, of the digit recogniser
 * @throws VoicegateError `model_invalid`
 */
export async function openEars(config: Config, model: string, digits: string, part: SpeechPart): Promise<OpenEars> {
  const folderOf = (name: string): string =>
    name.includes('/') ? resolve(name) : resolveModelDir(name, config.installedModelsDir);
  const dir = folderOf(model);
  const activityDir = folderOf('activity-8k');
  const card = await loadModelCard(dir);
  const activityCard = await loadActivityCard(activityDir);
  const scorer = await scorerOf(dir, card);
  const digitsDir = digits === defaultRecogniser && !existsSync(join(modelsDir, digits)) ? null : folderOf(digits);
  const digitsCard = digitsDir === null ? null : await loadRecogniserCard(digitsDir);
  const pool = await startInferencePool({
    networks: [
      networkOf(card, dir),
      activityNetworkOf(activityCard, activityDir),
      ...(digitsDir !== null && digitsCard !== null ? [recogniserNetworkOf(digitsCard, digitsDir)] : []),
    ],
    workers: config.workers,
    queueLimit: 10_000,
  });
  const activity = new SpeechActivityDetector(pool, activityCard);
  const limits = {
    maxBytes: mostBytes,
    maxSeconds: longestSeconds,
    ffmpegTimeoutMs,
    ffmpegPath: config.ffmpegPath,
    ffmpegProcesses: 2 * config.workers,
  };
  return {
    card,
    scorer,
    decode: async (bytes) =>
      (await decodeAudio(bytes, { targetRateHz: activity.sampleRateHz, channel: 'mono', limits })).waveform,
    hear: createRecordingEar({ activity, embedder: createEmbedder(pool, card), part }),
    score: (comparison) => {
      if (scorer !== null) return scoreVoice(comparison, scorer);
      const value = cosine(comparison.enrolment.vector, comparison.test.vector);
      return { cosine: value, normalised: value, llr: null };
    },
    phrases: digitsCard === null ? null : phraseEar(createDigitRecogniser(pool, digitsCard)),
    close: () => pool.close(),
  };
}

/** Null where a model has no calibration (a model from outside) or one for other weights: its cosines can still be measured. */
async function scorerOf(dir: string, card: ModelCard): Promise<Scorer | null> {
  if (!existsSync(join(dir, 'calibration.json'))) return null;
  try {
    return await loadScorer(dir, card);
  } catch (fault) {
    if (!(fault instanceof VoicegateError && fault.code === 'model_invalid')) throw fault;
    process.stderr.write(`measured without calibration: ${fault.message}\n`);
    return null;
  }
}

function phraseEar(recogniser: DigitRecogniser): NonNullable<OpenEars['phrases']> {
  const { recogniserId, languages } = recogniser;
  return {
    recogniserId,
    languages,
    async check({ samples, sampleRateHz }, language, { listed, drawn }) {
      const heard = await recogniser
        .recognise(await resample(samples, sampleRateHz, recogniser.sampleRateHz), language as Language)
        .catch((fault: unknown) => {
          if (fault instanceof VoicegateError && fault.code === 'audio_empty') return null;
          throw fault;
        });
      return {
        verdicts: listed.map((digits) => {
          const phrase = heard && checkResponse(digits, heard);
          return phrase?.kind === 'checked' ? phrase.verdict : 'silence';
        }),
        drawnMatches: heard === null ? 0 : drawn.filter((digits) => isMatch(digits, heard)).length,
      };
    },
  };
}
