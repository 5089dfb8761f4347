import type { SampleSpan, SpeechActivity, Waveform } from './waveform.js';

/** How much of what surrounds speech is kept. */
export interface KeepRules {
  /** Kept before the first and after the last speech, seconds. */
  readonly marginSeconds: number;
  /** Longer pauses are cut in their middle down to this, seconds. */
  readonly longestPauseSeconds: number;
}

/**
 * One second on either side, pauses down to one second: as good as whole files on the speaker lists, where tighter cuts were worse, and
 * unlike whole files not harmed by a wait before or after the words (the table is in this room's README).
 */
export const defaultKeepRules: KeepRules = { marginSeconds: 1, longestPauseSeconds: 1 };

/** For looking at windows: little but speech, so that no window is half silence. */
export const windowKeepRules: KeepRules = { marginSeconds: 0.2, longestPauseSeconds: 0.3 };

/**
 * What the embedding network hears: ends trimmed, long pauses shortened.
 * @returns samples at the waveform's rate; empty when nobody speaks; a view of the waveform when nothing is cut between
 */
export function keptSpeech(
  waveform: Waveform,
  activity: SpeechActivity,
  rules: KeepRules = defaultKeepRules,
): Float32Array {
  const { samples, sampleRateHz } = waveform;
  const parts = keptSpans(activity.spans, samples.length, sampleRateHz, rules).map(({ startSample, endSample }) =>
    samples.subarray(startSample, endSample),
  );
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : joined(parts);
}

/** What a window is cut to. */
export interface WindowRules {
  /** No window is shorter, seconds. */
  readonly leastSeconds: number;
  /** No more windows than this: each is one more run of the embedding network. */
  readonly mostWindows: number;
}

/** Two halves of at least 1.5 s: more or shorter windows found fewer second voices (the table is in this room's README). */
export const defaultWindowRules: WindowRules = { leastSeconds: 1.5, mostWindows: 2 };

/**
 * Cuts kept speech into equal windows whose embeddings can be compared: one voice throughout, or more than one?
 * @returns views of `keptSamples` that cover it without overlap, at least two; none where it is too short for two
 */
export function voiceWindows(
  keptSamples: Float32Array,
  sampleRateHz: number,
  { leastSeconds, mostWindows }: WindowRules = defaultWindowRules,
): Float32Array[] {
  const count = Math.min(mostWindows, Math.floor(keptSamples.length / (leastSeconds * sampleRateHz)));
  if (count < 2) return [];
  const edge = (index: number): number => Math.floor((index * keptSamples.length) / count);
  return Array.from({ length: count }, (_, index) => keptSamples.subarray(edge(index), edge(index + 1)));
}

/** The spans of a recording that are kept, in order. */
export function keptSpans(
  spoken: readonly SampleSpan[],
  totalSamples: number,
  sampleRateHz: number,
  { marginSeconds, longestPauseSeconds }: KeepRules,
): SampleSpan[] {
  const margin = Math.round(marginSeconds * sampleRateHz);
  const longestPause = Math.round(longestPauseSeconds * sampleRateHz);
  const before = Math.floor(longestPause / 2);
  const kept: SampleSpan[] = [];
  let startSample = 0;
  spoken.forEach((span, index) => {
    if (index === 0) startSample = Math.max(0, span.startSample - margin);
    const next = spoken[index + 1];
    if (next === undefined) {
      kept.push({ startSample, endSample: Math.min(totalSamples, span.endSample + margin) });
    } else if (next.startSample - span.endSample > longestPause) {
      kept.push({ startSample, endSample: span.endSample + before });
      startSample = next.startSample - (longestPause - before);
    }
  });
  return kept;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
