import type { SpeechWindow } from '../audio/speech-windows.js';
import { qualityFindings } from '../audio/quality-limits.js';
import { nextStep, passiveBounds, type SequentialLook } from '../decision/sequential.js';
import { RunningVoice } from '../scoring/running-voice.js';
import { mayListen } from './attempt.js';
import type { ServiceContext } from './context.js';
import { pretendedLlr } from './decoy.js';
import { nothingHeard, type Heard } from './listen.js';
import type { LiveEvent, VoiceSoFar } from './live-events.js';
import { VerificationTask } from './live-verification.js';
import { judgeCall, listenersOf, type OpenedCall } from './open-call.js';
import { compareVoice } from './verify-steps.js';

/** Free speech, listened to until it is sure whose it is: a look after every window, a verdict as soon as one of the bounds is crossed. */
export class PassiveTask extends VerificationTask {
  private readonly voice = new RunningVoice();
  private firstWindow: SpeechWindow | null = null;
  private halvesCosine: number | null = null;
  private newest: Heard['embedding'] = null;

  constructor(context: ServiceContext, call: OpenedCall) {
    super(context, call, { mostSeconds: call.policy.passive.maxSeconds, keepSamples: false });
  }

  protected async listen(): Promise<readonly LiveEvent[]> {
    const windows = await this.ear.advance();
    for (const window of windows) await this.hear(window);
    const events = this.progress();
    if (windows.length === 0) return events;
    const look = this.look();
    const heard = [...events, this.interim(look)];
    const step = nextStep(look, this.call.policy, this.call.row.terms.tier);
    return step === 'go_on' ? heard : [...heard, await this.verdict('here')];
  }

  private async hear(window: SpeechWindow): Promise<void> {
    const listeners = listenersOf(this.call);
    const vector = await this.context.liveEars.embedWindow(window, listeners);
    this.voice.add(vector, window.netSpeechSeconds);
    this.newest = { vector, modelId: this.call.opened.modelId, netSpeechSeconds: window.netSpeechSeconds };
    if (this.voice.windows > 1) this.firstWindow = null;
    else {
      this.firstWindow = window;
      this.halvesCosine = await this.context.liveEars.compareHalves(window, listeners);
    }
  }

  private heard(): Heard {
    const vector = this.voice.mean();
    const { modelId } = this.call.opened;
    return {
      ...nothingHeard,
      report: this.ear.report(),
      embedding: vector === null ? null : { vector, modelId, netSpeechSeconds: this.voice.netSpeechSeconds },
      minWindowCosine: this.firstWindow === null ? this.voice.leastCosine : this.halvesCosine,
    };
  }

  private look(): SequentialLook {
    const heard = this.heard();
    const usable = qualityFindings(heard, this.call.policy.quality).length === 0;
    return {
      llr: this.llrOf(heard),
      usable,
      netSpeechSeconds: heard.report.netSpeechSeconds,
      totalSeconds: heard.report.totalSeconds,
    };
  }

  /** A decoy is stopped when a stranger would be. */
  private llrOf(heard: Heard): number | null {
    const { context, call } = this;
    if (!mayListen(call.opened)) {
      return call.caller.answer === 'opaque'
        ? pretendedLlr(context, call.caller, call.row.accountId, this.ear.sha256, heard)
        : null;
    }
    const voice = compareVoice(context, call.print, heard, context.now());
    return voice.kind === 'compared' ? voice.llr : null;
  }

  private interim(look: SequentialLook): LiveEvent {
    const { caller, policy, row } = this.call;
    const tells = caller.answer === 'full';
    const bounds = passiveBounds(policy, row.terms.tier);
    const told = (netSpeechSeconds: number, llr: number | null, usable: boolean): VoiceSoFar => ({
      netSpeechSeconds,
      llr: tells ? llr : null,
      decision:
        !tells || llr === null || !usable
          ? 'undecided'
          : llr >= bounds.acceptAtLlr
            ? 'accepted'
            : llr < bounds.rejectBelowLlr
              ? 'rejected'
              : 'undecided',
    });
    const alone = { ...this.heard(), embedding: this.newest };
    return {
      kind: 'interim',
      incremental: told(this.newest?.netSpeechSeconds ?? 0, this.llrOf(alone), look.usable),
      cumulative: told(this.voice.netSpeechSeconds, look.llr, look.usable),
      quality: this.ear.report(),
    };
  }

  protected async verdict(where: 'here' | 'end'): Promise<LiveEvent> {
    this.done = true;
    for (const window of await this.ear.finish(where)) await this.hear(window);
    return { kind: 'verdict', answer: await judgeCall(this.context, this.call, this.heard(), this.ear.sha256) };
  }
}
