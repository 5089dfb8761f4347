import type { ServiceContext } from './context.js';
import type { LiveEvent } from './live-events.js';
import { VerificationTask } from './live-verification.js';
import { judgeCall, listenersOf, type OpenedCall } from './open-call.js';

/** Silence after which an answer is taken to be over: longer than the pauses within a string of digits. */
const endSilenceSeconds = 1.2;
/** Nobody answers. */
const maxWaitSeconds = 10;
/** An answer is not longer, waiting included. */
const mostSeconds = 30;

/** The answer to a challenge: heard until the caller falls silent after speaking, then judged as a file of the same samples is. */
export class ActiveTask extends VerificationTask {
  constructor(context: ServiceContext, call: OpenedCall) {
    super(context, call, { mostSeconds, keepSamples: true });
  }

  protected async listen(): Promise<readonly LiveEvent[]> {
    await this.ear.advance();
    const { netSpeechSeconds, totalSeconds } = this.ear.seconds;
    const silent = this.ear.silentSeconds;
    const isOver =
      silent === null
        ? totalSeconds >= maxWaitSeconds
        : netSpeechSeconds >= this.call.policy.quality.minNetSpeechSeconds
          ? silent >= endSilenceSeconds
          : silent >= maxWaitSeconds;
    const events = this.progress();
    return isOver ? [...events, await this.verdict('here')] : events;
  }

  protected async verdict(where: 'here' | 'end'): Promise<LiveEvent> {
    this.done = true;
    const { context, call, ear } = this;
    await ear.finish(where);
    const waveform = { samples: ear.samples, sampleRateHz: context.liveEars.sampleRateHz };
    const heard = call.opened.judged
      ? await context.liveEars.hear(waveform, { ...listenersOf(call), digitsIn: call.opened.language })
      : null;
    return { kind: 'verdict', answer: await judgeCall(context, call, heard, ear.sha256) };
  }
}
