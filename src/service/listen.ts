import { performance } from 'node:perf_hooks';
import { decodeAudio, resample, type AudioLimits } from '../audio/decode.js';
import { keptSpeech, voiceWindows, windowKeepRules } from '../audio/kept-speech.js';
import { assessQuality } from '../audio/quality.js';
import type { SpeechActivityDetector } from '../audio/speech-activity.js';
import type { QualityReport, Waveform } from '../audio/waveform.js';
import type { Embedder } from '../embedding/embedder.js';
import type { Embedding } from '../embedding/embedding.js';
import { cosine } from '../scoring/cosine.js';

/** Audio as it arrived. */
export interface AudioInput {
  readonly bytes: Uint8Array;
  /** As declared by the sender; null when it said nothing. */
  readonly contentType: string | null;
  /** Channel to take; null: the audio must be mono. */
  readonly channel: 0 | 1 | null;
}

/** What a recording told. */
export interface Heard {
  readonly report: QualityReport;
  /** By the model that was asked; null when there was too little speech to embed. */
  readonly embedding: Embedding | null;
  /** By the other loaded model; null when it was not given the caller. */
  readonly otherEmbedding: Embedding | null;
  /** Smallest cosine between windows of the utterance; null when it is too short to be cut. */
  readonly minWindowCosine: number | null;
  /** The speech that was kept, at the telephone's rate. Lives as long as the request and goes nowhere but to `embed`. */
  readonly speech: Float32Array;
}

/**
 * Whose voice a network hears. `decoy`: a noise of the same length is embedded in place of the recording, which costs the same and makes
 * nothing of the voice of somebody who did not consent.
 */
export type Listening = 'caller' | 'decoy';

/** Which of the loaded models listens, and whether the other one does too. */
export interface Listeners {
  readonly hears: Listening;
  /** By default the active model. */
  readonly modelId?: string;
  /**
   * By default nothing. `decoy` makes the work of two models of every recording, so that its time does not tell which of them was asked;
   * with one model loaded there is no other.
   */
  readonly otherHears?: Listening;
}

/** Bytes → waveform → quality and embedding. */
export interface Ears {
  /** The loaded models: the active one, and perhaps one beside it. */
  readonly modelIds: readonly [string, ...string[]];
  decode(audio: AudioInput): Promise<Waveform>;
  hear(waveform: Waveform, listeners: Listeners): Promise<Heard>;
  /** One more embedding of what was heard as the caller's. Null when there was too little speech. */
  embed(heard: Heard, modelId: string): Promise<Embedding | null>;
}

/** Least net speech of a recording that an embedding network is given, seconds; more where a model wants more. */
const leastSpeechSeconds = 0.3;

/** Joins decoder, speech activity, quality and embedding. */
export function createEars(parts: {
  readonly limits: AudioLimits;
  readonly activity: SpeechActivityDetector;
  /** The active model's, and perhaps that of one beside it. */
  readonly embedders: readonly [Embedder, ...Embedder[]];
  readonly onStage: (stage: string, seconds: number) => void;
}): Ears {
  const timed = async <T>(stage: string, work: Promise<T>): Promise<T> => {
    const startMs = performance.now();
    try {
      return await work;
    } finally {
      parts.onStage(stage, (performance.now() - startMs) / 1000);
    }
  };
  const { sampleRateHz } = parts.activity;
  const [active, second] = parts.embedders;
  const leastSeconds = Math.max(
    leastSpeechSeconds,
    ...parts.embedders.map((one) => one.shortestSamples / one.sampleRateHz),
  );
  const embedderOf = (modelId: string): Embedder => {
    const found = parts.embedders.find((one) => one.modelId === modelId);
    if (found === undefined) throw new Error(`model ${modelId} is not loaded`);
    return found;
  };
  // Telephone audio is decoded at the telephone's rate; a model of another rate gets what is kept of it resampled.
  const embed = async (embedder: Embedder, samples: Float32Array, netSpeechSeconds: number): Promise<Embedding> =>
    embedder.embed(await resample(samples, sampleRateHz, embedder.sampleRateHz), netSpeechSeconds);
  return {
    modelIds: [active.modelId, ...(second === undefined ? [] : [second.modelId])],
    async decode(audio) {
      const decoded = await timed(
        'decode',
        decodeAudio(audio.bytes, {
          contentType: audio.contentType ?? undefined,
          channel: audio.channel ?? 'mono',
          targetRateHz: sampleRateHz,
          limits: parts.limits,
        }),
      );
      return decoded.waveform;
    },
    async hear(waveform, { hears, modelId = active.modelId, otherHears }) {
      const asked = embedderOf(modelId);
      const other = asked === active ? second : active;
      const activity = await timed('activity', parts.activity.detect(waveform));
      const report = assessQuality(waveform, activity);
      const { netSpeechSeconds } = report;
      const speech = keptSpeech(waveform, activity);
      if (netSpeechSeconds < leastSeconds) {
        return { report, embedding: null, otherEmbedding: null, minWindowCosine: null, speech };
      }
      const windows = voiceWindows(keptSpeech(waveform, activity, windowKeepRules), sampleRateHz);
      const byEach = (
        embedder: Embedder,
        listening: Listening,
        pieces: readonly Float32Array[],
      ): Promise<Embedding[]> =>
        Promise.all(
          pieces.map((piece) =>
            embed(embedder, listening === 'caller' ? piece : noise(piece.length), netSpeechSeconds),
          ),
        );
      const [[embedding, ...parted], [otherEmbedding]] = await timed(
        'embedding',
        Promise.all([
          byEach(asked, hears, [speech, ...windows]),
          other === undefined || otherHears === undefined
            ? []
            : byEach(other, otherHears, otherHears === 'decoy' ? [speech, ...windows] : [speech]),
        ]),
      );
      return {
        report,
        embedding: embedding ?? null,
        otherEmbedding: otherHears === 'caller' ? (otherEmbedding ?? null) : null,
        minWindowCosine: leastCosine(parted),
        speech,
      };
    },
    async embed({ report, speech }, modelId) {
      if (report.netSpeechSeconds < leastSeconds) return null;
      return timed('embedding', embed(embedderOf(modelId), speech, report.netSpeechSeconds));
    },
  };
}

function leastCosine(windows: readonly Embedding[]): number | null {
  let least: number | null = null;
  windows.forEach((one, index) => {
    for (const other of windows.slice(index + 1)) {
      least = Math.min(least ?? 1, cosine(one.vector, other.vector));
    }
  });
  return least;
}

/** A quiet deterministic noise (32-bit LCG, Numerical Recipes' constants): only its length matters. */
function noise(length: number): Float32Array {
  const samples = new Float32Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    samples[index] = (state / 2 ** 32 - 0.5) * 0.1;
  }
  return samples;
}
