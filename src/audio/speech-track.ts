import type { SettledRun } from './activity-spans.js';
import { QualityMeter } from './quality.js';
import { SampleQueue } from './sample-queue.js';
import { SpeechWindows, type SpeechWindow } from './speech-windows.js';
import type { QualityReport, SpeechActivity, Waveform } from './waveform.js';

/**
 * The samples of one voice and what is settled about them → quality, and windows for the embedding network. Files and calls go this way: however
 * samples and runs come, what comes out is the same to the last bit.
 */
export class SpeechTrack {
  private readonly unsettled = new SampleQueue();
  private readonly meter: QualityMeter;
  private readonly windows: SpeechWindows;
  private settledUntil = 0;
  private lastSpeechEnd: number | null = null;

  constructor(private readonly sampleRateHz: number) {
    this.meter = new QualityMeter(sampleRateHz);
    this.windows = new SpeechWindows(sampleRateHz);
  }

  /** Takes the next samples; copied. */
  accept(samples: Float32Array): void {
    this.unsettled.push(samples);
  }

  /** Takes the next runs, of samples that were accepted. */
  settle(runs: readonly SettledRun[]): void {
    for (const { startSample, endSample, isSpeech } of runs) {
      const samples = this.unsettled.shift(endSample - startSample);
      this.meter.accept(samples, isSpeech);
      this.windows.accept(samples, isSpeech);
      this.settledUntil = endSample;
      if (isSpeech) this.lastSpeechEnd = endSample;
    }
  }

  /** Lets go the samples from there on, which are not settled. */
  truncate(samples: number): void {
    this.unsettled.truncate(samples - this.settledUntil);
  }

  /** Says that nothing follows: after the last run. */
  finish(): void {
    this.meter.finish();
    this.windows.finish();
  }

  /** Windows that became ready since the last read. */
  readWindows(): SpeechWindow[] {
    return this.windows.read();
  }

  /** Quality of what is settled so far. */
  report(): QualityReport {
    return this.meter.read();
  }

  /** Seconds of `report` alone, which cost nothing. */
  get seconds(): Pick<QualityReport, 'totalSeconds' | 'netSpeechSeconds'> {
    return { totalSeconds: this.meter.totalSeconds, netSpeechSeconds: this.meter.netSpeechSeconds };
  }

  /** Settled seconds since speech last ended; null while nobody has spoken yet. */
  get silentSeconds(): number | null {
    return this.lastSpeechEnd === null ? null : (this.settledUntil - this.lastSpeechEnd) / this.sampleRateHz;
  }
}

/** A whole recording's track, finished. @param activity of this waveform */
export function trackOf({ samples, sampleRateHz }: Waveform, { spans }: SpeechActivity): SpeechTrack {
  const track = new SpeechTrack(sampleRateHz);
  track.accept(samples);
  let at = 0;
  for (const span of spans) {
    if (span.startSample > at) track.settle([{ startSample: at, endSample: span.startSample, isSpeech: false }]);
    track.settle([{ ...span, isSpeech: true }]);
    at = span.endSample;
  }
  if (at < samples.length) track.settle([{ startSample: at, endSample: samples.length, isSpeech: false }]);
  track.finish();
  return track;
}
