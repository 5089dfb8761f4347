import type { ServiceContext } from './context.js';
import type { LiveEar } from './live-ear.js';
import type { LiveEvent, LiveTask } from './live-events.js';
import type { OpenedCall } from './open-call.js';

/** What the modes that end in a verdict share: one ear, the most they listen to, and telling that speech was heard. */
export abstract class VerificationTask implements LiveTask {
  readonly agent = null;
  done = false;
  protected readonly ear: LiveEar;
  private spokenSeconds = 0;
  private leftSamples: number;

  /** @param hears the most that counts, seconds; and whether its samples are wanted at the end */
  constructor(
    protected readonly context: ServiceContext,
    protected readonly call: OpenedCall,
    hears: { readonly mostSeconds: number; readonly keepSamples: boolean },
  ) {
    this.ear = context.liveEars.listen(hears.keepSamples);
    this.leftSamples = Math.round(hears.mostSeconds * context.liveEars.sampleRateHz);
  }

  accept(samples: Float32Array): void {
    const more = samples.subarray(0, this.leftSamples);
    if (this.done || more.length === 0) return;
    this.leftSamples -= more.length;
    this.ear.accept(more);
  }

  get takenSeconds(): number {
    return this.ear.takenSeconds;
  }

  get waitingSeconds(): number {
    return this.ear.waitingSeconds;
  }

  get ready(): boolean {
    return !this.done && (this.ear.ready || this.leftSamples === 0);
  }

  work(): Promise<readonly LiveEvent[]> {
    return this.ear.ready ? this.listen() : this.conclude();
  }

  async conclude(): Promise<readonly LiveEvent[]> {
    return [await this.verdict('end')];
  }

  /** Hears the next half second or so; ends with the verdict where it is sure. */
  protected abstract listen(): Promise<readonly LiveEvent[]>;

  /** Judges what was heard and ends. @param where as `LiveEar.finish` has it */
  protected abstract verdict(where: 'here' | 'end'): Promise<LiveEvent>;

  /** What to tell when there is more speech than before. */
  protected progress(): LiveEvent[] {
    const { netSpeechSeconds, totalSeconds } = this.ear.seconds;
    if (netSpeechSeconds <= this.spokenSeconds) return [];
    this.spokenSeconds = netSpeechSeconds;
    return [{ kind: 'progress', netSpeechSeconds, totalSeconds }];
  }
}
