/** Mono samples in [-1, 1]. */
export interface Waveform {
  readonly samples: Float32Array;
  readonly sampleRateHz: number;
}

/** What came out of a decoder, before and after resampling. */
export interface DecodedAudio {
  readonly waveform: Waveform;
  /** The container and codec as found, e.g. `wav/mulaw`, `raw/alaw`, `ogg/opus`. */
  readonly format: string;
  readonly sourceRateHz: number;
  readonly sourceChannels: number;
}

/** Half-open range of samples, [start, end). */
export interface SampleSpan {
  readonly startSample: number;
  readonly endSample: number;
}

/** Where somebody speaks. Spans are in order and do not touch. */
export interface SpeechActivity {
  readonly spans: readonly SampleSpan[];
  readonly sampleRateHz: number;
  readonly netSpeechSeconds: number;
}

/** Measured properties of a recording, judged by policy limits and by nothing here. */
export interface QualityReport {
  readonly totalSeconds: number;
  readonly netSpeechSeconds: number;
  /** Speech level over the level between speech, dB; null when there is no pause to measure noise in. */
  readonly snrDb: number | null;
  /** Share of samples at or beyond the clipping level, 0 to 1. */
  readonly clippingShare: number;
  /** Active speech level, dB relative to a full-scale sine... see audio/quality.ts. */
  readonly speechLevelDbfs: number;
  /** Frequency below which nearly all of the speech power lies, Hz. */
  readonly bandwidthHz: number;
}
