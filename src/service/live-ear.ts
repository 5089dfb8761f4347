import { createHash } from 'node:crypto';
import type { ActivityStream } from '../audio/activity-stream.js';
import { SampleQueue } from '../audio/sample-queue.js';
import { SpeechTrack } from '../audio/speech-track.js';
import type { SpeechWindow } from '../audio/speech-windows.js';
import type { QualityReport } from '../audio/waveform.js';

/** Follows a call as it comes, at the pace of the sample clock: how and when the samples arrived does not show in what it finds. */
export class LiveEar {
  private readonly incoming = new SampleQueue();
  private readonly track: SpeechTrack;
  private readonly hash = createHash('sha256');
  private readonly kept: SampleQueue | null;
  private accepted = 0;
  private hashed = 0;

  /** @param keepSamples keep all of it, for a use after the end; bounded by whoever feeds it */
  constructor(
    private readonly activity: ActivityStream,
    private readonly sampleRateHz: number,
    keepSamples: boolean,
  ) {
    this.track = new SpeechTrack(sampleRateHz);
    this.kept = keepSamples ? new SampleQueue() : null;
  }

  /** Takes the next samples of the customer's voice; copied. */
  accept(samples: Float32Array): void {
    this.activity.accept(samples);
    this.track.accept(samples);
    this.incoming.push(samples);
    this.kept?.push(samples);
    this.accepted += samples.length;
  }

  /** Seconds taken. */
  get takenSeconds(): number {
    return this.accepted / this.sampleRateHz;
  }

  /** Seconds taken and not heard yet. */
  get waitingSeconds(): number {
    return (this.accepted - this.hashed) / this.sampleRateHz;
  }

  /** Seconds that had a part in what was found so far. */
  get heardSeconds(): number {
    return this.hashed / this.sampleRateHz;
  }

  /** Whether `advance` has something to do. */
  get ready(): boolean {
    return this.activity.ready;
  }

  /**
   * Hears the next half second or so. One call at a time.
   * @returns the windows that became ready
   * @throws VoicegateError `busy` (then it may be called again), `inference_failed`, `shutting_down`
   */
  async advance(): Promise<readonly SpeechWindow[]> {
    this.track.settle(await this.activity.read());
    this.digest(this.activity.givenSamples);
    return this.track.readWindows();
  }

  /**
   * Ends the call.
   * @param where `here`: what came after the last `advance` is let go, since how much that is depends on the pace of arrival; `end`: all of it counts
   * @returns the windows that became ready
   */
  async finish(where: 'here' | 'end'): Promise<readonly SpeechWindow[]> {
    if (where === 'here') {
      this.accepted = this.activity.givenSamples;
      this.activity.truncate();
      this.track.truncate(this.accepted);
      this.incoming.truncate(this.accepted - this.hashed);
      this.kept?.truncate(this.accepted);
    }
    this.activity.finish();
    do this.track.settle(await this.activity.read());
    while (this.activity.ready);
    this.track.finish();
    this.digest(this.accepted);
    return this.track.readWindows();
  }

  /** Quality of what is settled so far. */
  report(): QualityReport {
    return this.track.report();
  }

  /** Seconds of `report` alone, which cost nothing. */
  get seconds(): Pick<QualityReport, 'totalSeconds' | 'netSpeechSeconds'> {
    return this.track.seconds;
  }

  /** Settled seconds since somebody last spoke; null while nobody has. */
  get silentSeconds(): number | null {
    return this.track.silentSeconds;
  }

  /** SHA-256 of the samples heard so far. */
  get sha256(): Uint8Array {
    return this.hash.copy().digest();
  }

  /** All samples taken, after `finish` those that counted. @throws Error when they were not kept */
  get samples(): Float32Array {
    if (this.kept === null) throw new Error('the samples of this call were not kept');
    return this.kept.view(0, this.kept.length).slice();
  }

  /** Samples taken that had no part in what was found so far: what `finish('here')` lets go. */
  get notHeard(): Float32Array {
    return this.incoming.view(0, this.incoming.length).slice();
  }

  private digest(until: number): void {
    const { buffer, byteOffset, byteLength } = this.incoming.shift(until - this.hashed);
    this.hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    this.hashed = until;
  }
}
