import { defaultKeepRules, type KeepRules } from './kept-speech.js';
import { SampleQueue } from './sample-queue.js';
import type { SampleSpan } from './waveform.js';

/** Kept speech of a bounded length: what the embedding network hears at once. */
export interface SpeechWindow {
  readonly samples: Float32Array;
  /** Where somebody speaks in it. */
  readonly spans: readonly SampleSpan[];
  /** Of these spans; the window's weight in the mean. */
  readonly netSpeechSeconds: number;
}

/** How kept speech is cut for the embedding network. */
export interface SpeechWindowRules {
  /** Length of every window but the last, seconds of kept speech. */
  readonly windowSeconds: number;
  /** A last window with less speech than this is left out, unless it is the only one. */
  readonly leastLastSpeechSeconds: number;
}

/** Chosen on the dev lists (the table is in this room's README): most strings of digits stay whole. */
export const defaultSpeechWindowRules: SpeechWindowRules = { windowSeconds: 6, leastLastSpeechSeconds: 1 };

/**
 * Keeps speech with what surrounds it and cuts it into windows one after another, as the samples come. Each window is embedded once, and their
 * mean, weighted by net speech, is the voice of recording or call: the work for a second of speech is the same however long it lasts, and
 * what was cut stays as it was cut when more follows.
 */
export class SpeechWindows {
  private readonly ready: SpeechWindow[] = [];
  private readonly windowSamples: number;
  private readonly margin: number;
  private readonly longestPause: number;
  private readonly halfPause: number;
  /** Kept after speech whatever follows. */
  private readonly after: number;
  private readonly kept: SampleQueue;
  private spans: SampleSpan[] = [];
  private heardSpeech = false;
  /** Of the pause that goes on: its length, what may follow `after`, and its end, which may go before the next speech. */
  private pauseSamples = 0;
  private readonly following = new SampleQueue();
  private readonly ending = new SampleQueue();
  private cut = 0;

  constructor(
    private readonly sampleRateHz: number,
    private readonly rules: SpeechWindowRules = defaultSpeechWindowRules,
    keep: KeepRules = defaultKeepRules,
  ) {
    this.windowSamples = Math.round(rules.windowSeconds * sampleRateHz);
    this.kept = new SampleQueue(this.windowSamples);
    this.margin = Math.round(keep.marginSeconds * sampleRateHz);
    this.longestPause = Math.round(keep.longestPauseSeconds * sampleRateHz);
    this.halfPause = Math.floor(this.longestPause / 2);
    this.after = Math.min(this.margin, this.halfPause);
  }

  /** Takes the next samples, of which it is settled whether somebody speaks. */
  accept(samples: Float32Array, isSpeech: boolean): void {
    if (samples.length === 0) return;
    if (isSpeech) {
      this.endPause();
      this.keep(samples, true);
      this.heardSpeech = true;
    } else this.pause(samples);
  }

  /** Says that nothing follows: the margin after the last speech, and what is left, become ready. */
  finish(): void {
    if (this.heardSpeech) this.keep(this.following.shift(Math.max(0, this.margin - this.after)), false);
    if (this.kept.length > 0) this.close();
  }

  /** Windows that became ready since the last read. */
  read(): SpeechWindow[] {
    return this.ready.splice(0);
  }

  private pause(samples: Float32Array): void {
    const already = this.heardSpeech ? Math.min(samples.length, Math.max(0, this.after - this.pauseSamples)) : 0;
    this.keep(samples.subarray(0, already), false);
    const rest = samples.subarray(already);
    this.pauseSamples += samples.length;
    const mayFollow = Math.max(this.margin, this.longestPause) - this.after;
    if (this.heardSpeech) this.following.push(rest.subarray(0, Math.max(0, mayFollow - this.following.length)));
    this.ending.push(rest);
    const mayEnd = this.heardSpeech ? this.longestPause - this.halfPause : this.margin;
    this.ending.shift(this.ending.length - mayEnd);
  }

  private endPause(): void {
    if (this.pauseSamples === 0) return;
    if (!this.heardSpeech) this.keep(this.ending.shift(this.ending.length), false);
    else if (this.pauseSamples <= this.longestPause)
      this.keep(this.following.shift(this.pauseSamples - this.after), false);
    else {
      this.keep(this.following.shift(this.halfPause - this.after), false);
      this.keep(this.ending.shift(this.ending.length), false);
    }
    this.pauseSamples = 0;
    this.following.clear();
    this.ending.clear();
  }

  private keep(samples: Float32Array, isSpeech: boolean): void {
    for (let at = 0; at < samples.length;) {
      const taken = Math.min(samples.length - at, this.windowSamples - this.kept.length);
      if (isSpeech) this.mark(this.kept.length, this.kept.length + taken);
      this.kept.push(samples.subarray(at, at + taken));
      at += taken;
      if (this.kept.length === this.windowSamples) this.close();
    }
  }

  private mark(startSample: number, endSample: number): void {
    const last = this.spans.at(-1);
    if (last?.endSample === startSample) this.spans[this.spans.length - 1] = { ...last, endSample };
    else this.spans.push({ startSample, endSample });
  }

  private close(): void {
    const isWhole = this.kept.length === this.windowSamples;
    const spoken = this.spans.reduce((sum, span) => sum + span.endSample - span.startSample, 0) / this.sampleRateHz;
    if (this.cut === 0 || isWhole || spoken >= this.rules.leastLastSpeechSeconds) {
      const samples = this.kept.shift(this.kept.length).slice();
      this.ready.push({ samples, spans: this.spans, netSpeechSeconds: spoken });
      this.cut++;
    }
    this.kept.clear();
    this.spans = [];
  }
}
