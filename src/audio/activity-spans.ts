import type { SampleSpan } from './waveform.js';

/** How probabilities become spans. The pause is longer than both paddings together, so padded spans never touch. */
export interface SpanRules {
  /** Speech begins at a probability of at least this. */
  readonly beginsAt: number;
  /** Speech may end where the probability falls below this; between the two nothing changes. */
  readonly endsBelow: number;
  /** Speech ends where it stayed below for this long; a new start before that goes on. */
  readonly minPauseMs: number;
  /** Speech also ends where the probability fell below and then did not rise for this long: a stream has to be settled some time. */
  readonly longestDoubtMs: number;
  /** Shorter speech is dropped. */
  readonly minSpeechMs: number;
  /** Added before and after each span, inside the recording. */
  readonly padMs: number;
}

/** Silero VAD's published defaults, so that net speech seconds mean the same as there; it doubts without end. */
export const sileroSpanRules: SpanRules = {
  beginsAt: 0.5,
  endsBelow: 0.35,
  minPauseMs: 100,
  longestDoubtMs: 1000,
  minSpeechMs: 250,
  padMs: 30,
};

/** A stretch of samples of which it is settled whether somebody speaks. */
export interface SettledRun extends SampleSpan {
  readonly isSpeech: boolean;
}

/**
 * Turns speech probabilities into runs of speech and of pause as soon as nothing that follows can change them: at most the shortest speech,
 * the longest doubt and the padding behind the last probability.
 */
export class SpanTracker {
  private readonly minPause: number;
  private readonly longestDoubt: number;
  private readonly minSpeech: number;
  private readonly pad: number;
  private readonly runs: SettledRun[] = [];
  private settledUntil = 0;
  private windows = 0;
  private begin = -1;
  private fell = -1;

  constructor(
    private readonly hopSamples: number,
    sampleRateHz: number,
    private readonly rules: SpanRules = sileroSpanRules,
  ) {
    const samplesOf = (ms: number): number => Math.round((ms * sampleRateHz) / 1000);
    this.minPause = samplesOf(rules.minPauseMs);
    this.longestDoubt = samplesOf(rules.longestDoubtMs);
    this.minSpeech = samplesOf(rules.minSpeechMs);
    this.pad = samplesOf(rules.padMs);
  }

  /** @param probabilities the next ones, one per `hopSamples` samples, 0 to 1 */
  accept(probabilities: ArrayLike<number>): void {
    for (let index = 0; index < probabilities.length; index++) {
      const at = this.windows++ * this.hopSamples;
      const probability = probabilities[index] as number;
      if (probability >= this.rules.beginsAt) {
        this.fell = -1;
        if (this.begin < 0) this.begin = at;
      } else if (this.begin >= 0) {
        const isLow = probability < this.rules.endsBelow;
        if (isLow && this.fell < 0) this.fell = at;
        const fallen = this.fell < 0 ? 0 : at - this.fell;
        if ((isLow && fallen >= this.minPause) || fallen >= this.longestDoubt) this.close(this.fell, Infinity);
      }
    }
    this.settleWhatIsSure();
  }

  /** Says where the recording ends: everything is settled then, and no run goes beyond it. */
  finish(totalSamples: number): void {
    if (this.begin >= 0) this.close(totalSamples, totalSamples);
    this.settle(totalSamples, false);
    // The last probability may stand for samples that are not there.
    for (let last = this.runs.at(-1); last !== undefined && last.endSample > totalSamples; last = this.runs.at(-1)) {
      this.runs.pop();
      if (last.startSample < totalSamples) this.runs.push({ ...last, endSample: totalSamples });
    }
  }

  /** Runs settled since the last read, one after another without gaps. After `accept` of the last probabilities read only after `finish`. */
  read(): SettledRun[] {
    return this.runs.splice(0);
  }

  private close(end: number, totalSamples: number): void {
    if (end - this.begin > this.minSpeech) {
      this.settle(this.begin - this.pad, false);
      this.settle(Math.min(totalSamples, end + this.pad), true);
    }
    this.begin = this.fell = -1;
  }

  private settleWhatIsSure(): void {
    const known = this.windows * this.hopSamples;
    if (this.begin < 0) {
      this.settle(known - this.pad, false);
      return;
    }
    this.settle(this.begin - this.pad, false);
    const spokenUntil = this.fell < 0 ? known : this.fell;
    if (spokenUntil - this.begin > this.minSpeech) this.settle(spokenUntil, true);
  }

  private settle(until: number, isSpeech: boolean): void {
    if (until <= this.settledUntil) return;
    this.runs.push({ startSample: this.settledUntil, endSample: until, isSpeech });
    this.settledUntil = until;
  }
}

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
  const tracker = new SpanTracker(hopSamples, sampleRateHz, rules);
  tracker.accept(probabilities);
  tracker.finish(totalSamples);
  const spans: SampleSpan[] = [];
  for (const { startSample, endSample, isSpeech } of tracker.read()) {
    const last = spans.at(-1);
    if (!isSpeech) continue;
    if (last !== undefined && last.endSample === startSample) spans[spans.length - 1] = { ...last, endSample };
    else spans.push({ startSample, endSample });
  }
  return spans;
}

/** Seconds inside spans. */
export function secondsOf(spans: readonly SampleSpan[], sampleRateHz: number): number {
  return spans.reduce((sum, span) => sum + span.endSample - span.startSample, 0) / sampleRateHz;
}
