import { performance } from 'node:perf_hooks';
import type { NetworkOutput, Piece } from './network.js';

/** One accepted run, waiting or running. */
export class Task {
  readonly acceptedMs = performance.now();
  /** True when the caller has its answer, an error, or has given up. */
  settled = false;
  private readonly abandon = (): void => this.fail(this.signal?.reason);

  constructor(
    readonly networkId: string,
    /** The pool's own copy; moved to the worker. */
    readonly samples: Float32Array<ArrayBuffer>,
    readonly piece: Piece | null,
    private readonly signal: AbortSignal | undefined,
    private readonly resolve: (output: NetworkOutput) => void,
    private readonly reject: (reason: unknown) => void,
  ) {
    signal?.addEventListener('abort', this.abandon);
  }

  answer(output: NetworkOutput): void {
    if (this.settle()) this.resolve(output);
  }

  fail(reason: unknown): void {
    if (this.settle()) this.reject(reason);
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.signal?.removeEventListener('abort', this.abandon);
    return true;
  }
}

/** Tasks waiting for a worker, first come first served. Those given up make room at once. */
export class TaskQueue {
  private tasks: Task[] = [];

  get length(): number {
    this.tasks = this.tasks.filter((task) => !task.settled);
    return this.tasks.length;
  }

  push(task: Task): void {
    this.tasks.push(task);
  }

  /** The task that has waited longest and is still wanted. */
  next(): Task | undefined {
    for (;;) {
      const task = this.tasks.shift();
      if (task === undefined || !task.settled) return task;
    }
  }

  /** Refuses all that wait. */
  failAll(reason: unknown): void {
    for (const task of this.tasks.splice(0)) task.fail(reason);
  }
}
