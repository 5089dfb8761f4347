import { performance } from 'node:perf_hooks';
import { decodeAudio, resample, type AudioLimits } from '../audio/decode.js';
import { keptSpeech, voiceWindows, windowKeepRules } from '../audio/kept-speech.js';
import type { SpeechActivityDetector } from '../audio/speech-activity.js';
import { trackOf } from '../audio/speech-track.js';
import type { SpeechWindow } from '../audio/speech-windows.js';
import type { QualityReport, Waveform } from '../audio/waveform.js';
import type { DigitEvidence, DigitRecogniser } from '../challenge/digit-recogniser.js';
import type { Language } from '../challenge/languages.js';
import type { Embedder } from '../embedding/embedder.js';
import type { Embedding } from '../embedding/embedding.js';
import { cosine } from '../scoring/cosine.js';
import { RunningVoice } from '../scoring/running-voice.js';
import { LiveEar } from './live-ear.js';

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
  /** Smallest cosine between windows of the utterance, or the halves of its only one; null when it is too short to be cut. */
  readonly minWindowCosine: number | null;
  /**
   * The digits said; null when nobody listened for them, the recogniser does not know the language, or there was too little speech.
   * A decoy's are those of a noise. Lives as long as the request.
   */
  readonly digits: DigitEvidence | null;
  /** The speech that was kept, at the telephone's rate. Lives as long as the request and goes nowhere but to `embed`. */
  readonly windows: readonly SpeechWindow[];
}

/**
 * Whose voice a network hears. `decoy`: a noise of the same length is embedded and searched for digits in place of the recording, which
 * costs the same and makes nothing of the voice of somebody who did not consent.
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
  /** Language of the digits that are listened for; by default nobody listens for digits. */
  readonly digitsIn?: Language;
}

/** Bytes → waveform → quality, embedding and digits. */
export interface Ears {
  /** Rate of decoded audio, Hz. */
  readonly sampleRateHz: number;
  /** The loaded models: the active one, and perhaps one beside it. */
  readonly modelIds: readonly [string, ...string[]];
  decode(audio: AudioInput): Promise<Waveform>;
  hear(waveform: Waveform, listeners: Listeners): Promise<Heard>;
  /** Follows a call. @param keepSamples keeps them for `hear` */
  listen(keepSamples: boolean): LiveEar;
  /** One window of a call. */
  embedWindow(window: SpeechWindow, listeners: Listeners): Promise<Float32Array>;
  /** How alike the halves of a call's only window are; null where it is too short. */
  compareHalves(window: SpeechWindow, listeners: Listeners): Promise<number | null>;
  /** The halves of a window as a model hears them, each with half of its speech; all of it where it is too short to be cut. */
  embedPieces(window: SpeechWindow, modelId: string): Promise<readonly Omit<Embedding, 'modelId'>[]>;
  /** One more embedding of what was heard as the caller's. Null when there was too little speech. */
  embed(heard: Heard, modelId: string): Promise<Embedding | null>;
}

/** A call of which nothing was embedded (yet). */
export const nothingHeard = {
  embedding: null,
  otherEmbedding: null,
  minWindowCosine: null,
  digits: null,
  windows: [],
} satisfies Omit<Heard, 'report'>;

/** Least net speech of a recording that an embedding network is given, seconds; more where a model wants more. */
const leastSpeechSeconds = 0.3;

/** Joins decoder, speech activity, quality, embedding and digits. */
export function createEars(parts: {
  readonly limits: AudioLimits;
  readonly activity: SpeechActivityDetector;
  /** The active model's, and perhaps that of one beside it. */
  readonly embedders: readonly [Embedder, ...Embedder[]];
  /** At the telephone's rate; null: nobody listens for digits. */
  readonly recogniser: DigitRecogniser | null;
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
  const { recogniser } = parts;
  const [active, second] = parts.embedders;
  const leastSeconds = Math.max(
    leastSpeechSeconds,
    ...[...parts.embedders, ...(recogniser === null ? [] : [recogniser])].map(
      (one) => one.shortestSamples / one.sampleRateHz,
    ),
  );
  const embedderOf = (modelId: string): Embedder => {
    const found = parts.embedders.find((one) => one.modelId === modelId);
    if (found === undefined) throw new Error(`model ${modelId} is not loaded`);
    return found;
  };
  // Telephone audio is decoded at the telephone's rate; a model of another rate gets what is kept of it resampled.
  const vectorOf = async (embedder: Embedder, samples: Float32Array): Promise<Float32Array> =>
    (await embedder.embed(await resample(samples, sampleRateHz, embedder.sampleRateHz), 0)).vector;
  /** One model's voice of all windows, and how alike they are. */
  const voiceOf = async (
    embedder: Embedder,
    listening: Listening,
    windows: readonly SpeechWindow[],
    halve: boolean,
  ) => {
    const heardBy = (samples: Float32Array): Promise<Float32Array> => vectorOf(embedder, sounding(samples, listening));
    const [only] = windows;
    const halves = halve && windows.length === 1 && only !== undefined ? halvesOf(only, sampleRateHz) : [];
    const [vectors, [first, last]] = await Promise.all([
      Promise.all(windows.map(({ samples }) => heardBy(samples))),
      Promise.all(halves.map(heardBy)),
    ]);
    const voice = new RunningVoice();
    windows.forEach(({ netSpeechSeconds }, index) => voice.add(vectors[index] as Float32Array, netSpeechSeconds));
    const vector = voice.mean();
    const { modelId } = embedder;
    return {
      embedding: vector === null ? null : { vector, modelId, netSpeechSeconds: voice.netSpeechSeconds },
      leastCosine: first === undefined || last === undefined ? voice.leastCosine : cosine(first, last),
    };
  };
  const asked = (modelId: string, alsoOther: boolean): readonly Embedder[] =>
    parts.embedders.filter((one) => one.modelId === modelId || alsoOther);
  return {
    sampleRateHz,
    listen: (keepSamples) => new LiveEar(parts.activity.follow(), sampleRateHz, keepSamples),
    async embedWindow({ samples }, { hears, modelId = active.modelId, otherHears }) {
      const sounds = hears === 'caller' ? samples : noise(samples.length);
      // The other model's is the work of a decoy: of what it hears nothing is kept.
      const vectors = asked(modelId, otherHears !== undefined).map((one) =>
        vectorOf(one, one.modelId === modelId ? sounds : noise(samples.length)).then((vector) => ({ one, vector })),
      );
      const found = (await timed('embedding', Promise.all(vectors))).find(({ one }) => one.modelId === modelId);
      if (found === undefined) throw new Error(`model ${modelId} is not loaded`);
      return found.vector;
    },
    async compareHalves(window, { hears, modelId = active.modelId }) {
      const [embedder] = asked(modelId, false);
      const halves = halvesOf(window, sampleRateHz).map((half) => (hears === 'caller' ? half : noise(half.length)));
      if (embedder === undefined || halves.length === 0) return null;
      const [first, last] = await Promise.all(halves.map((half) => vectorOf(embedder, half)));
      return first === undefined || last === undefined ? null : cosine(first, last);
    },
    async embedPieces(window, modelId) {
      const halves = halvesOf(window, sampleRateHz);
      const pieces = halves.length > 0 ? halves : [window.samples];
      const vectors = await Promise.all(pieces.map((piece) => vectorOf(embedderOf(modelId), piece)));
      return vectors.map((vector) => ({ vector, netSpeechSeconds: window.netSpeechSeconds / vectors.length }));
    },
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
    async hear(waveform, { hears, modelId = active.modelId, otherHears, digitsIn }) {
      const asked = embedderOf(modelId);
      const other = asked === active ? second : active;
      const activity = await timed('activity', parts.activity.detect(waveform));
      const track = trackOf(waveform, activity);
      const report = track.report();
      const windows = track.readWindows();
      if (report.netSpeechSeconds < leastSeconds) {
        return { ...nothingHeard, report, windows };
      }
      const [[voice, otherVoice], digits] = await Promise.all([
        timed(
          'embedding',
          Promise.all([
            voiceOf(asked, hears, windows, true),
            other === undefined || otherHears === undefined
              ? null
              : voiceOf(other, otherHears, windows, otherHears === 'decoy'),
          ]),
        ),
        // In one piece, whatever the windows are: a digit may lie across an edge, or in a last window that is left out.
        digitsIn === undefined || recogniser === null
          ? null
          : timed('digits', recogniser.recognise(sounding(keptSpeech(waveform, activity), hears), digitsIn)),
      ]);
      return {
        report,
        embedding: voice.embedding,
        otherEmbedding: otherHears === 'caller' ? (otherVoice?.embedding ?? null) : null,
        minWindowCosine: voice.leastCosine,
        digits,
        windows,
      };
    },
    async embed({ report, windows }, modelId) {
      if (report.netSpeechSeconds < leastSeconds) return null;
      return (await timed('embedding', voiceOf(embedderOf(modelId), 'caller', windows, false))).embedding;
    },
  };
}

/** The speech of a window without its pauses, in two halves; none where it is too short. */
function halvesOf({ samples, spans, netSpeechSeconds }: SpeechWindow, sampleRateHz: number): Float32Array[] {
  const tight = keptSpeech({ samples, sampleRateHz }, { spans, sampleRateHz, netSpeechSeconds }, windowKeepRules);
  return voiceWindows(tight, sampleRateHz);
}

/** The speech itself, or a noise of its length. */
const sounding = (speech: Float32Array, listening: Listening): Float32Array =>
  listening === 'caller' ? speech : noise(speech.length);

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
