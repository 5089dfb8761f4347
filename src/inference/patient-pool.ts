import { setTimeout as sleep } from 'node:timers/promises';
import { VoicegateError } from '../errors.js';
import type { InferencePool, NetworkOutput, Piece } from './network.js';
import { SampleMemory } from './sample-memory.js';

/** Memory kept for copies of samples, for those who wait too. */
const sparePerPlace = 4;
/** Pause before a full queue is tried again, ms. */
const pauseMs = 10;

/**
 * The pool for those who were let in and may not be turned away any more (calls that are being heard): their tasks wait here, first come first
 * served, a few at a time go to the pool, and a full queue is tried again. How many wait is bounded by how many were let in.
 */
export class PatientPool implements Pick<InferencePool, 'run'> {
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  private readonly memory: SampleMemory;

  /** @param most tasks in the pool at once: so many that the workers are never idle, so few that others find room in its queue */
  constructor(
    private readonly pool: InferencePool,
    private readonly most: number,
  ) {
    this.memory = new SampleMemory(sparePerPlace * most);
  }

  /** @throws VoicegateError as the pool does, but never `busy` */
  async run(networkId: string, samples: Float32Array, signal?: AbortSignal, piece?: Piece): Promise<NetworkOutput> {
    // A copy: the caller's memory may change while this waits.
    const own = this.memory.copyOf(samples);
    if (this.running >= this.most) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      for (;;) {
        try {
          return await this.pool.run(networkId, own, signal, piece);
        } catch (fault) {
          if (!(fault instanceof VoicegateError && fault.code === 'busy')) throw fault;
          await sleep(pauseMs);
        }
      }
    } finally {
      this.memory.giveBack(own.buffer);
      // The place is handed on: `running` counts it as before.
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
