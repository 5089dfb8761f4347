import type { InferencePool } from '../inference/network.js';
import type { ActivityCard } from './activity-card.js';
import { SpanTracker, type SettledRun } from './activity-spans.js';
import { SampleQueue } from './sample-queue.js';

/** Units heard in one run: about half a second. Shorter answers sooner and pays more for what each run looks at around it. */
const unitsPerRun = 16;

/**
 * Where somebody speaks in a signal that arrives in pieces. The network runs on a fixed grid of the sample clock, with its memory handed from
 * run to run, so the answers do not depend on how the signal was cut, and its probabilities are those of the whole (to 1e-6: sums of
 * 32-bit floats).
 */
export class ActivityStream {
  private readonly samples = new SampleQueue();
  private readonly tracker: SpanTracker;
  private readonly look: number;
  private firstSample = 0;
  private accepted = 0;
  private given = 0;
  private nextUnit = 0;
  private state: Float32Array | null = null;
  private finished = false;

  constructor(
    private readonly pool: Pick<InferencePool, 'run'>,
    private readonly card: ActivityCard,
  ) {
    this.look = card.lookAroundUnits;
    this.tracker = new SpanTracker(card.hopSamples, card.frontEnd.sampleRateHz);
  }

  /** Takes the next samples at the card's rate; copied. */
  accept(samples: Float32Array): void {
    this.samples.push(samples);
    this.accepted += samples.length;
  }

  /** Says that nothing follows. */
  finish(): void {
    this.finished = true;
    if (!this.ready) this.tracker.finish(this.accepted);
  }

  /** Samples that the network has been given so far: those after them had no part in what is settled. */
  get givenSamples(): number {
    return this.given;
  }

  /** Lets go what the network was not given, as if the signal ended there. */
  truncate(): void {
    this.accepted = this.given;
    this.samples.truncate(this.given - this.firstSample);
  }

  /** Whether `read` has something to do. */
  get ready(): boolean {
    return this.lastUnit() > this.nextUnit;
  }

  /**
   * Hears the next piece, if enough samples are there.
   * @returns what became settled, perhaps nothing. One call at a time, as long as `ready`
   * @throws VoicegateError the pool's `busy` (then it may be called again), `inference_failed`, `shutting_down`
   */
  async read(): Promise<SettledRun[]> {
    if (this.ready) this.tracker.accept(await this.probabilities());
    if (this.finished && !this.ready) this.tracker.finish(this.accepted);
    return this.tracker.read();
  }

  /** Probabilities of the next run, one for each `hopSamples`. */
  private async probabilities(): Promise<Float32Array> {
    const { hopSamples, id } = this.card;
    const end = this.lastUnit();
    const from = Math.max(0, this.nextUnit - this.look);
    const until = Math.min(this.accepted, (end + this.look) * hopSamples);
    this.given = until;
    const piece = this.samples.view(from * hopSamples - this.firstSample, until - this.firstSample);
    const { values, state } = await this.pool.run(id, piece, undefined, {
      state: this.state,
      firstUnit: this.nextUnit - from,
      endUnit: end - from,
    });
    this.state = state;
    this.nextUnit = end;
    const keepFrom = Math.max(0, end - this.look) * hopSamples;
    this.samples.shift(keepFrom - this.firstSample);
    this.firstSample = keepFrom;
    return values;
  }

  /** The unit after the last that the next run answers. */
  private lastUnit(): number {
    const { hopSamples, frontEnd } = this.card;
    const wanted = this.nextUnit + unitsPerRun;
    if (this.accepted >= (wanted + this.look) * hopSamples) return wanted;
    if (!this.finished) return this.nextUnit;
    // As many as the network gives for the whole: frames centred in their shift, two to a unit.
    const shift = (frontEnd.sampleRateHz * frontEnd.frameShiftMs) / 1000;
    const units = Math.ceil(
      Math.floor((this.accepted + Math.floor(shift / 2)) / shift) / Math.round(hopSamples / shift),
    );
    return Math.min(wanted, units);
  }
}
