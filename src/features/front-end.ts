/**
 * The front-ends that speaker models expect, as plain data: every value comes from a model card, none from a default in code.
 * Closed union; switch on `kind` exhaustively.
 */
export type FrontEnd = KaldiFbankFrontEnd | NemoMelFrontEnd | WaveformFrontEnd;

/** Log-mel filterbank frames as Kaldi computes them (kaldi-native-fbank, torchaudio.compliance.kaldi.fbank). */
export interface KaldiFbankFrontEnd {
  readonly kind: 'kaldi-fbank';
  readonly sampleRateHz: number;
  readonly frameLengthMs: number;
  readonly frameShiftMs: number;
  /** povey = (0.5 − 0.5 cos(2πn/(N−1)))^0.85 */
  readonly window: 'povey' | 'hamming' | 'hann' | 'rectangular';
  /** Pre-emphasis coefficient, 0 to 1; the first sample of a frame is its own predecessor. */
  readonly preEmphasis: number;
  readonly removeDcOffset: boolean;
  /** true: only whole frames inside the signal; false: frame t is centred at sample shift·(t + ½), the signal reflected at its ends. */
  readonly snipEdges: boolean;
  readonly melBins: number;
  readonly lowHz: number;
  /** Upper edge; 0 or negative counts from Nyquist, as in Kaldi. */
  readonly highHz: number;
  /** Samples in [-1, 1] are multiplied by this before framing: 1, or 32768 for families trained on int16 values. */
  readonly sampleScale: number;
  /** Energies below this are raised to it before the logarithm. */
  readonly energyFloor: number;
  readonly normalisation: FrameNormalisation;
}

/** Log-mel frames as NeMo (librosa, slaney mel) computes them. */
export interface NemoMelFrontEnd {
  readonly kind: 'nemo-mel';
  readonly sampleRateHz: number;
  readonly frameLengthMs: number;
  readonly frameShiftMs: number;
  readonly window: 'hann';
  readonly fftSize: number;
  readonly preEmphasis: number;
  readonly melBins: number;
  readonly lowHz: number;
  readonly highHz: number;
  /** log(x + logOffset) */
  readonly logOffset: number;
  /** The frame count is padded with zero frames to a multiple of this (1 = no padding). */
  readonly padFramesTo: number;
  readonly normalisation: FrameNormalisation;
}

/** Models that hold their own front-end: samples go in as they are, times a scale. */
export interface WaveformFrontEnd {
  readonly kind: 'waveform';
  readonly sampleRateHz: number;
  readonly sampleScale: number;
}

/** none; subtract each bin's mean over the utterance; or subtract the mean and divide by (standard deviation + 1e-5). */
export type FrameNormalisation = 'none' | 'global-mean' | 'per-feature';
