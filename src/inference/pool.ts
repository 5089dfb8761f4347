import { performance } from 'node:perf_hooks';
import { VoicegateError } from '../errors.js';
import type { InferenceEvent } from './events.js';
import { InferenceThread, type ThreadAnswer } from './inference-thread.js';
import type { InferencePool, InferenceStatus, NetworkOutput, NetworkSpec, Piece } from './network.js';
import { SampleMemory } from './sample-memory.js';
import { Task, TaskQueue } from './task-queue.js';

export interface InferencePoolOptions {
  /** Each is loaded by every worker; ids are unique. */
  readonly networks: readonly NetworkSpec[];
  /** Threads, 1 to 256. Each runs one task at a time on one core. */
  readonly workers: number;
  /** Tasks that may wait for a free worker, 0 to 10,000; one more is refused with `busy`. */
  readonly queueLimit: number;
  /** Told of every run, refusal and change among the workers, for metrics and logs. Must not throw. */
  readonly onEvent?: (event: InferenceEvent) => void;
}

/** Pause before a lost worker is replaced: doubled with each loss that follows without an answer between, ms. */
const firstRestartMs = 100;
const longestRestartMs = 30_000;
/** Memory kept for copies of samples: short and long pieces by turns find some that fits. */
const sparePerWorker = 4;
/** Weight of the newest run in the running mean of service times. */
const newestWeight = 0.1;

/**
 * Starts the worker threads and resolves when each has loaded every network, checked its hash and tensor names, and run it once.
 * @throws VoicegateError `model_invalid` naming the network and what is wrong with it, `configuration_invalid` for numbers out of range
 */
export async function startInferencePool(options: InferencePoolOptions): Promise<InferencePool> {
  checkRange('workers', options.workers, 1, 256);
  checkRange('queueLimit', options.queueLimit, 0, 10_000);
  const ids = options.networks.map((network) => network.id);
  if (ids.length === 0 || new Set(ids).size < ids.length) {
    throw new VoicegateError(
      'configuration_invalid',
      `inference networks [${ids.join(', ')}]: at least one, each id once`,
    );
  }
  const pool = new WorkerPool(options);
  await pool.start();
  return pool;
}

interface Slot {
  readonly index: number;
  thread: InferenceThread | null;
  state: 'starting' | 'idle' | 'busy' | 'down';
  /** Losses since the last answer. */
  losses: number;
  restart: NodeJS.Timeout | null;
}

class WorkerPool implements InferencePool {
  private readonly slots: Slot[];
  private readonly queue = new TaskQueue();
  private readonly memory: SampleMemory;
  private closing: Promise<void> | null = null;
  private onQuiet: (() => void) | null = null;
  private replaced = 0;
  private meanServiceMs = 0;

  constructor(private readonly options: InferencePoolOptions) {
    this.memory = new SampleMemory(sparePerWorker * options.workers);
    this.slots = Array.from({ length: options.workers }, (_, index) => ({
      index,
      thread: null,
      state: 'down',
      losses: 0,
      restart: null,
    }));
  }

  async start(): Promise<void> {
    const started = await Promise.allSettled(this.slots.map((slot) => this.launch(slot)));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  run(networkId: string, samples: Float32Array, signal?: AbortSignal, piece?: Piece): Promise<NetworkOutput> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      this.checkRoom(networkId);
      this.queue.push(new Task(networkId, this.memory.copyOf(samples), piece ?? null, signal, resolve, reject));
      this.dispatch();
    });
  }

  status(): InferenceStatus {
    const running = this.count('busy');
    return {
      workers: this.slots.length,
      workersReady: running + this.count('idle'),
      waiting: this.queue.length,
      running,
      queueLimit: this.options.queueLimit,
      workersReplaced: this.replaced,
    };
  }

  close(): Promise<void> {
    this.closing ??= this.finishAndStop();
    return this.closing;
  }

  private async finishAndStop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.onQuiet = resolve;
      this.dispatch();
    });
    for (const slot of this.slots) if (slot.restart !== null) clearTimeout(slot.restart);
    await Promise.all(this.slots.map(async (slot) => slot.thread?.stop()));
  }

  private checkRoom(networkId: string): void {
    if (this.closing !== null) throw new VoicegateError('shutting_down', 'the inference pool is closing');
    if (!this.options.networks.some((network) => network.id === networkId)) {
      throw new VoicegateError('inference_failed', `the inference pool has no network named ${networkId}`);
    }
    const alive = this.slots.length - this.count('down');
    if (alive > 0 && (this.count('idle') > 0 || this.queue.length < this.options.queueLimit)) return;
    const retryAfterSeconds = alive > 0 ? this.secondsUntilRoom(alive) : Math.ceil(longestRestartMs / 1000);
    this.options.onEvent?.({ kind: 'refused', networkId, retryAfterSeconds });
    throw new VoicegateError(
      'busy',
      alive > 0 ? 'all inference workers are busy and the queue is full' : 'no inference worker is running',
      {
        hint: `Try again in ${retryAfterSeconds} s`,
        retryAfterSeconds,
      },
    );
  }

  /** When the work already accepted should be done, from the mean of recent runs, whole seconds, at least 1. */
  private secondsUntilRoom(alive: number): number {
    const tasks = this.queue.length + this.count('busy');
    return Math.max(1, Math.ceil((tasks * this.meanServiceMs) / alive / 1000));
  }

  private dispatch(): void {
    for (const slot of this.slots) {
      if (slot.state !== 'idle' || slot.thread === null) continue;
      const task = this.queue.next();
      if (task === undefined) break;
      void this.serve(slot, slot.thread, task);
    }
    if (this.onQuiet !== null && this.queue.length === 0 && this.count('busy') === 0) this.onQuiet();
  }

  private async serve(slot: Slot, thread: InferenceThread, task: Task): Promise<void> {
    slot.state = 'busy';
    const startMs = performance.now();
    const queuedMs = startMs - task.acceptedMs;
    try {
      const { values, dims, state, featuresMs, networkMs } = await thread.run(task.networkId, task.samples, task.piece);
      slot.losses = 0;
      const serviceMs = performance.now() - startMs;
      this.meanServiceMs += (serviceMs - this.meanServiceMs) * (this.meanServiceMs === 0 ? 1 : newestWeight);
      this.report(task, 'answered', queuedMs, { featuresMs, networkMs });
      task.answer({ values, dims, state, queuedMs, featuresMs, networkMs });
    } catch (error) {
      this.report(task, 'failed', queuedMs, { featuresMs: 0, networkMs: 0 });
      task.fail(error);
    }
    if (!thread.gone) slot.state = 'idle';
    this.dispatch();
  }

  private report(
    task: Task,
    outcome: 'answered' | 'failed',
    queuedMs: number,
    { featuresMs, networkMs }: Pick<ThreadAnswer, 'featuresMs' | 'networkMs'>,
  ): void {
    const { networkId } = task;
    this.options.onEvent?.({
      kind: 'run',
      networkId,
      outcome: task.settled ? 'cancelled' : outcome,
      queuedMs,
      featuresMs,
      networkMs,
    });
  }

  /** Starts a slot's thread and watches over it: whenever it is lost, another follows after a pause. */
  private async launch(slot: Slot): Promise<void> {
    const giveBack = (memory: ArrayBuffer): void => this.memory.giveBack(memory);
    const thread = new InferenceThread({ networks: this.options.networks }, `inference-${slot.index}`, giveBack);
    slot.thread = thread;
    slot.state = 'starting';
    void thread.ended.then((reason) => this.lost(slot, reason));
    const startMs = await thread.ready.catch((error: unknown) => {
      slot.state = 'down';
      throw error;
    });
    slot.state = 'idle';
    this.options.onEvent?.({ kind: 'worker-ready', worker: slot.index, startMs });
    this.dispatch();
  }

  private lost(slot: Slot, reason: string): void {
    slot.thread = null;
    slot.state = 'down';
    if (this.closing !== null) {
      // Whoever still waits is served by the workers that are left.
      if (this.slots.every((other) => other.state === 'down')) {
        this.queue.failAll(new VoicegateError('inference_failed', 'the last inference worker was lost while closing'));
      }
      this.dispatch();
      return;
    }
    const restartInMs = Math.min(longestRestartMs, firstRestartMs * 2 ** slot.losses++);
    this.options.onEvent?.({ kind: 'worker-lost', worker: slot.index, reason, restartInMs });
    slot.restart = setTimeout(() => {
      slot.restart = null;
      this.replaced++;
      this.launch(slot).catch((error: unknown) => this.failIfNobodyIsLeft(error));
    }, restartInMs);
  }

  /** A replacement did not start. Those who wait are told only if nobody else can serve them. */
  private failIfNobodyIsLeft(error: unknown): void {
    if (this.count('down') < this.slots.length) return;
    this.queue.failAll(error);
    this.dispatch();
  }

  private count(state: Slot['state']): number {
    return this.slots.filter((slot) => slot.state === state).length;
  }
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new VoicegateError('configuration_invalid', `inference ${name} is ${value}`, {
    hint: `A whole number from ${least} to ${most}`,
  });
}
