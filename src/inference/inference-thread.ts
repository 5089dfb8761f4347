import './no-telemetry.js';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { VoicegateError } from '../errors.js';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.js';
import type { Piece } from './network.js';

/** A worker's answer to one task. */
export type ThreadAnswer = Extract<FromWorker, { kind: 'answer' }>;

interface Awaited<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: VoicegateError) => void;
}

/** One worker thread with a session per network: ready once, then one task at a time until it is stopped or lost. */
export class InferenceThread {
  /** Resolves with the time it took, ms. Rejects `model_invalid` for a network it cannot use, `inference_failed` when it dies before. */
  readonly ready: Promise<number>;
  /** Resolves with the reason when the thread is gone, asked or not. */
  readonly ended: Promise<string>;
  /** True as soon as the thread can take no more tasks. */
  gone = false;
  private readonly worker: Worker;
  private starting: Awaited<number> | null = null;
  private task: Awaited<ThreadAnswer> | null = null;
  private lastError = '';

  /** @param giveBack takes the memory of samples that the thread is done with */
  constructor(
    setup: WorkerSetup,
    name: string,
    private readonly giveBack: (memory: ArrayBuffer) => void,
  ) {
    const startMs = performance.now();
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, name });
    this.ready = new Promise((resolve, reject) => (this.starting = { resolve, reject }));
    this.ended = new Promise((resolve) => {
      this.worker.once('exit', (code) => {
        this.gone = true;
        const reason = this.lastError === '' ? `its thread ended with code ${code}` : this.lastError;
        const lost = new VoicegateError('inference_failed', `the inference worker was lost: ${reason}`, {
          hint: 'A new worker takes its place: try again',
        });
        this.starting?.reject(lost);
        this.task?.reject(lost);
        this.task = null;
        resolve(reason);
      });
    });
    this.worker.on('error', (error: Error) => (this.lastError = error.message));
    this.worker.on('message', (message: FromWorker) => this.receive(message, startMs));
  }

  /**
   * Gives the idle thread a task. The samples are moved: the caller cannot use the array afterwards.
   * @throws VoicegateError `inference_failed` when the network refuses the input or the thread is lost
   */
  run(networkId: string, samples: Float32Array<ArrayBuffer>, piece: Piece | null = null): Promise<ThreadAnswer> {
    return new Promise((resolve, reject) => {
      this.task = { resolve, reject };
      this.post({ kind: 'run', networkId, samples, piece }, [samples.buffer]);
    });
  }

  /**
   * Lets the thread end after the task it has. Resolves when it is gone. There is no way to kill it: ending a thread inside ONNX Runtime
   * aborts the whole process (a C++ exception nobody catches).
   */
  async stop(): Promise<void> {
    this.post({ kind: 'stop' });
    await this.ended;
  }

  private post(message: ToWorker, moved: readonly ArrayBuffer[] = []): void {
    this.worker.postMessage(message, moved);
  }

  private receive(message: FromWorker, startMs: number): void {
    switch (message.kind) {
      case 'ready':
        this.starting?.resolve(performance.now() - startMs);
        this.starting = null;
        break;
      case 'unusable':
        this.starting?.reject(new VoicegateError('model_invalid', message.message, { hint: message.hint }));
        this.starting = null;
        this.lastError = message.message;
        break;
      case 'answer':
        this.giveBack(message.memory);
        this.take()?.resolve(message);
        break;
      case 'refusal':
        this.giveBack(message.memory);
        this.take()?.reject(new VoicegateError('inference_failed', message.message));
        break;
    }
  }

  private take(): Awaited<ThreadAnswer> | null {
    const { task } = this;
    this.task = null;
    return task;
  }
}
