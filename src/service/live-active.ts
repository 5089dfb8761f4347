import type { ServiceContext } from './context.js';
import type { LiveEar } from './live-ear.js';
import type { LiveEvent, LiveTask } from './live-events.js';
import { judgeCall, listenersOf, type OpenedCall } from './open-call.js';

/** Silence after which an answer is taken to be over: longer than the pauses within a string of digits. */
const endSilenceSeconds = 1.2;
/** Nobody answers. */
const maxWaitSeconds = 10;
/** An answer is not longer, waiting included. */
const maxSamplesSeconds = 30;

/** The answer to a challenge: heard until the caller falls silent after speaking, then judged as a file of the same samples is. */
export class ActiveTask implements LiveTask {
  readonly agent = null;
  done = false;
  private readonly ear: LiveEar;
  private spokenSeconds = 0;
  private readonly maxSamples: number;
  private taken = 0;

  constructor(
    private readonly context: ServiceContext,
    private readonly call: OpenedCall,
  ) {
    this.ear = context.liveEars.listen(true);
    this.maxSamples = maxSamplesSeconds * context.liveEars.sampleRateHz;
  }

  accept(samples: Float32Array): void {
    const more = samples.subarray(0, this.maxSamples - this.taken);
    if (this.done || more.length === 0) return;
    this.taken += more.length;
    this.ear.accept(more);
  }

  get takenSeconds(): number {
    return this.ear.takenSeconds;
  }

  get waitingSeconds(): number {
    return this.ear.waitingSeconds;
  }

  get ready(): boolean {
    return !this.done && (this.ear.ready || this.taken === this.maxSamples);
  }

  async work(): Promise<readonly LiveEvent[]> {
    if (!this.ear.ready) return this.conclude();
    await this.ear.advance();
    const { netSpeechSeconds, totalSeconds } = this.ear.report();
    const events: LiveEvent[] = [];
    if (netSpeechSeconds > this.spokenSeconds) events.push({ kind: 'progress', netSpeechSeconds, totalSeconds });
    this.spokenSeconds = netSpeechSeconds;
    const silent = this.ear.silentSeconds;
    const isOver =
      silent === null
        ? totalSeconds >= maxWaitSeconds
        : netSpeechSeconds >= this.call.policy.quality.minNetSpeechSeconds
          ? silent >= endSilenceSeconds
          : silent >= maxWaitSeconds;
    return isOver ? [...events, await this.verdict('here')] : events;
  }

  async conclude(): Promise<readonly LiveEvent[]> {
    return [await this.verdict('end')];
  }

  private async verdict(where: 'here' | 'end'): Promise<LiveEvent> {
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
