import type { ServiceContext } from './context.js';
import { completeEnrolment } from './complete-enrolment.js';
import { addUtterance } from './enrolments.js';
import type { LiveEar } from './live-ear.js';
import type { LiveEvent, LiveTask } from './live-events.js';
import type { OpenedCall } from './open-call.js';
import { endEnrolmentStream } from './stream-ends.js';

/** An utterance ends with a pause of this length, once it has enough speech; or when it has this much. */
const endSilenceSeconds = 0.8;
const mostSpeechSeconds = 6;
/** Without enough speech nothing is kept longer than this. */
const mostSeconds = 30;

/** An enrolment in a call: the customer's speech becomes utterances one after another, until there is enough for a print. */
export class EnrolmentTask implements LiveTask {
  done = false;
  private ear: LiveEar;
  private earlierSeconds = 0;
  private spokenSeconds = 0;

  constructor(
    private readonly context: ServiceContext,
    private readonly call: OpenedCall,
  ) {
    this.ear = context.liveEars.listen(true);
  }

  accept(samples: Float32Array): void {
    if (!this.done) this.ear.accept(samples);
  }

  get takenSeconds(): number {
    return this.earlierSeconds + this.ear.takenSeconds;
  }

  get waitingSeconds(): number {
    return this.ear.waitingSeconds;
  }

  get ready(): boolean {
    return !this.done && this.ear.ready;
  }

  async work(): Promise<readonly LiveEvent[]> {
    await this.ear.advance();
    const { netSpeechSeconds, totalSeconds } = this.ear.report();
    const events: LiveEvent[] = [];
    if (netSpeechSeconds > this.spokenSeconds) {
      events.push({ kind: 'progress', netSpeechSeconds, totalSeconds: this.earlierSeconds + totalSeconds });
    }
    this.spokenSeconds = netSpeechSeconds;
    const silent = this.ear.silentSeconds ?? 0;
    const enough = netSpeechSeconds >= this.call.policy.enrolment.minUtteranceNetSpeechSeconds;
    if ((enough && silent >= endSilenceSeconds) || netSpeechSeconds >= mostSpeechSeconds) {
      return [...events, ...(await this.utterance('here'))];
    }
    if (totalSeconds >= mostSeconds) await this.startAnew();
    return events;
  }

  async conclude(): Promise<readonly LiveEvent[]> {
    const enough = this.ear.report().netSpeechSeconds > 0;
    const events = enough ? await this.utterance('end') : [];
    this.done = true;
    return events;
  }

  private async utterance(where: 'here' | 'end'): Promise<readonly LiveEvent[]> {
    const { context, call } = this;
    const { caller, row } = call;
    const enrolmentId = row.terms.enrolmentId ?? '';
    const samples = await this.startAnew(where);
    const waveform = { samples, sampleRateHz: context.liveEars.sampleRateHz };
    const { accepted, reasons, quality, progress } = await addUtterance(context, caller, enrolmentId, waveform);
    const heard: LiveEvent = { kind: 'utterance', accepted, reasons, quality, progress };
    if (!progress.complete) return [heard];
    this.done = true;
    const { voiceprintId } = await completeEnrolment(context, caller, enrolmentId);
    await endEnrolmentStream(context, call, voiceprintId);
    return [heard, { kind: 'enrolled', voiceprintId }];
  }

  /** Ends the utterance; what came after it begins the next. @returns its samples */
  private async startAnew(where: 'here' | 'end' = 'here'): Promise<Float32Array> {
    const { ear } = this;
    const left = where === 'here' ? ear.notHeard : new Float32Array(0);
    this.ear = this.context.liveEars.listen(true);
    this.ear.accept(left);
    this.spokenSeconds = 0;
    await ear.finish(where);
    this.earlierSeconds += ear.takenSeconds;
    return ear.samples;
  }
}
