import type { ServiceContext } from './context.js';
import { completeEnrolment } from './complete-enrolment.js';
import { hintMeanwhile, type EnrolmentHint } from './enrolment-hints.js';
import { ongoing, type OngoingEnrolment } from './enrolment-steps.js';
import { AgentVoice } from './agent-voice.js';
import { addUtterance } from './enrolments.js';
import type { LiveEar } from './live-ear.js';
import type { LiveEvent, LiveTask } from './live-events.js';
import type { OpenedCall } from './open-call.js';
import { endEnrolmentStream } from './stream-ends.js';

/** An utterance ends with a pause of this length, once it has enough speech; or when it has this much. */
const endSilenceSeconds = 0.8;
/** Where both voices come in one channel, a shorter pause may be the change from one to the other. */
const turnSilenceSeconds = 0.4;
const mostSpeechSeconds = 6;
/** Without enough speech nothing is kept longer than this. */
const mostSeconds = 30;
/** How often it is asked whether the enrolment still goes on, seconds of the call: so long audio may be held after a consent is withdrawn. */
const lookSeconds = 1;

/** An enrolment in a call: the customer's speech becomes utterances one after another, until there is enough for a print. */
export class EnrolmentTask implements LiveTask {
  readonly agent: AgentVoice;
  done = false;
  private ear: LiveEar;
  /** Of the call, before the utterance that goes on. */
  private earlierSamples = 0;
  private spokenSeconds = 0;
  /** When somebody last spoke, seconds of the call. */
  private spokeAtSeconds = 0;
  private hint: EnrolmentHint | null = null;
  private lookedAtSeconds = 0;

  constructor(
    private readonly context: ServiceContext,
    private readonly call: OpenedCall,
    private enrolment: OngoingEnrolment,
  ) {
    this.ear = context.liveEars.listen(true);
    this.agent = new AgentVoice(context, enrolment.row.modelId, call.agentVoice);
  }

  accept(samples: Float32Array): void {
    if (!this.done) this.ear.accept(samples);
  }

  private get sampleRateHz(): number {
    return this.context.liveEars.sampleRateHz;
  }

  get takenSeconds(): number {
    return this.earlierSamples / this.sampleRateHz + this.ear.takenSeconds;
  }

  get waitingSeconds(): number {
    return this.ear.waitingSeconds;
  }

  get ready(): boolean {
    return !this.done && this.ear.ready;
  }

  async work(): Promise<readonly LiveEvent[]> {
    await this.look();
    await this.ear.advance();
    await this.agent.hearUntil(this.earlierSamples + Math.round(this.ear.heardSeconds * this.sampleRateHz));
    const { netSpeechSeconds, totalSeconds } = this.ear.report();
    const events = this.progress();
    const silent = this.ear.silentSeconds ?? 0;
    const endSilence = this.agent.mixed ? turnSilenceSeconds : endSilenceSeconds;
    const enough = netSpeechSeconds >= this.enrolment.policy.enrolment.minUtteranceNetSpeechSeconds;
    if ((enough && silent >= endSilence) || netSpeechSeconds >= mostSpeechSeconds) {
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

  /** Whether the enrolment still goes on. @throws VoicegateError `enrolment_closed`, `consent_missing`, `opted_out` … */
  private async look(): Promise<void> {
    if (this.takenSeconds - this.lookedAtSeconds < lookSeconds) return;
    this.lookedAtSeconds = this.takenSeconds;
    const { context, enrolment, call } = this;
    await context.store.transaction(call.caller.tenantId, async (tx) => {
      this.enrolment = await ongoing(context, call.caller, tx, enrolment.row.enrolmentId);
    });
  }

  /** What to tell when speech was heard, or something else is to be done about it. */
  private progress(): LiveEvent[] {
    const quality = this.ear.report();
    const { netSpeechSeconds, totalSeconds } = quality;
    const spoke = netSpeechSeconds > this.spokenSeconds;
    this.spokenSeconds = netSpeechSeconds;
    const now = this.earlierSamples / this.sampleRateHz + totalSeconds;
    const { silentSeconds } = this.ear;
    if (silentSeconds !== null) this.spokeAtSeconds = now - silentSeconds;
    const { policy, progress: kept } = this.enrolment;
    const hint = hintMeanwhile(now - this.spokeAtSeconds, quality, kept, policy);
    if (!spoke && hint === this.hint) return [];
    this.hint = hint;
    const enrolment = { kept, quality, hint };
    return [{ kind: 'progress', netSpeechSeconds, totalSeconds: now, enrolment }];
  }

  private async utterance(where: 'here' | 'end'): Promise<readonly LiveEvent[]> {
    const { context, call } = this;
    const { enrolmentId } = this.enrolment.row;
    const startSample = this.earlierSamples;
    const samples = await this.startAnew(where);
    await this.agent.hearUntil(this.earlierSamples);
    const waveform = { samples, sampleRateHz: this.sampleRateHz };
    const answer = await addUtterance(context, call.caller, enrolmentId, waveform, (heard) =>
      this.agent.find(samples, startSample, heard),
    );
    const { accepted, reasons, quality, progress, hint } = answer;
    this.enrolment = { ...this.enrolment, progress };
    this.hint = hint;
    const heard: LiveEvent = { kind: 'utterance', accepted, reasons, quality, progress, hint };
    if (!progress.complete) return [heard];
    this.done = true;
    const { voiceprintId } = await completeEnrolment(context, call.caller, enrolmentId);
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
    const { samples } = ear;
    this.earlierSamples += samples.length;
    return samples;
  }
}
