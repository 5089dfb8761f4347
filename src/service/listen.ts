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
  /** Null when there was too little speech to embed. */
  readonly embedding: Embedding | null;
  /** Smallest cosine between windows of the utterance; null when it is too short to be cut. */
  readonly minWindowCosine: number | null;
}

/**
 * Whose voice the embedding network hears. `decoy`: a noise of the same length is embedded in place of the recording, which costs the
 * same and makes nothing of the voice of somebody who did not consent.
 */
export type Listening = 'caller' | 'decoy';

/** Bytes → waveform → quality and embedding. */
export interface Ears {
  readonly modelId: string;
  decode(audio: AudioInput): Promise<Waveform>;
  hear(waveform: Waveform, listening: Listening): Promise<Heard>;
}

/** Least net speech of a recording that the embedding network is given, seconds. */
const leastSpeechSeconds = 0.3;

/** Joins decoder, speech activity, quality and embedding. */
export function createEars(parts: {
  readonly limits: AudioLimits;
  readonly activity: SpeechActivityDetector;
  readonly embedder: Embedder;
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
  const { embedder } = parts;
  const { sampleRateHz } = parts.activity;
  // Telephone audio is decoded at the telephone's rate; a model of another rate gets what is kept of it resampled.
  const embed = async (samples: Float32Array, netSpeechSeconds: number): Promise<Embedding> =>
    embedder.embed(await resample(samples, sampleRateHz, embedder.sampleRateHz), netSpeechSeconds);
  return {
    modelId: embedder.modelId,
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
    async hear(waveform, listening) {
      const activity = await timed('activity', parts.activity.detect(waveform));
      const report = assessQuality(waveform, activity);
      if (report.netSpeechSeconds < leastSpeechSeconds) return { report, embedding: null, minWindowCosine: null };
      const whole = keptSpeech(waveform, activity);
      const windows = voiceWindows(keptSpeech(waveform, activity, windowKeepRules), sampleRateHz);
      const heard = [whole, ...windows].map((samples) => (listening === 'caller' ? samples : noise(samples.length)));
      const [embedding, ...parted] = await timed(
        'embedding',
        Promise.all(heard.map((samples) => embed(samples, report.netSpeechSeconds))),
      );
      return { report, embedding: embedding ?? null, minWindowCosine: leastCosine(parted) };
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
