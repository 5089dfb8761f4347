import type { SampleSpan } from './waveform.js';

/** How probabilities become spans. The pause is longer than both paddings together, so padded spans never touch. */
export interface SpanRules {
  /** Speech begins at a probability of at least this. */
  readonly beginsAt: number;
  /** Speech may end where the probability falls below this; between the two nothing changes. */
  readonly endsBelow: number;
  /** Speech ends where it stayed below for this long; a new start before that goes on. */
  readonly minPauseMs: number;
  /** Shorter speech is dropped. */
  readonly minSpeechMs: number;
  /** Added before and after each span, inside the recording. */
  readonly padMs: number;
}

/** Silero VAD's published defaults, so that net speech seconds mean the same as there. */
export const sileroSpanRules: SpanRules = {
  beginsAt: 0.5,
  endsBelow: 0.35,
  minPauseMs: 100,
  minSpeechMs: 250,
  padMs: 30,
};

/**
 * Speech spans from speech probabilities.
 * @param probabilities one per `hopSamples` samples, the first for samples 0 to hopSamples − 1; 0 to 1
 * @param totalSamples length of the recording: no span goes beyond it
 * @returns in order, not touching, each at least `minSpeechMs` long before padding
 */
export function speechSpans(
  probabilities: ArrayLike<number>,
  hopSamples: number,
  totalSamples: number,
  sampleRateHz: number,
  rules: SpanRules = sileroSpanRules,
): SampleSpan[] {
  const samplesOf = (ms: number): number => Math.round((ms * sampleRateHz) / 1000);
  const minPause = samplesOf(rules.minPauseMs);
  const minSpeech = samplesOf(rules.minSpeechMs);
  const pad = samplesOf(rules.padMs);
  const spans: SampleSpan[] = [];
  let begin = -1;
  let fell = -1;
  const close = (end: number): void => {
    if (end - begin > minSpeech) {
      spans.push({ startSample: Math.max(0, begin - pad), endSample: Math.min(totalSamples, end + pad) });
    }
    begin = fell = -1;
  };
  for (let window = 0; window < probabilities.length; window++) {
    const at = window * hopSamples;
    const probability = probabilities[window] as number;
    if (probability >= rules.beginsAt) {
      fell = -1;
      if (begin < 0) begin = at;
    } else if (begin >= 0 && probability < rules.endsBelow) {
      if (fell < 0) fell = at;
      if (at - fell >= minPause) close(fell);
    }
  }
  if (begin >= 0) close(totalSamples);
  return spans;
}

/** Seconds inside spans. */
export function secondsOf(spans: readonly SampleSpan[], sampleRateHz: number): number {
  return spans.reduce((sum, span) => sum + span.endSample - span.startSample, 0) / sampleRateHz;
}
