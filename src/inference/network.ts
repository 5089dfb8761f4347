import type { FrontEnd } from '../features/front-end.js';

/** All a worker thread needs to run one model on samples. Plain data: it crosses the thread border. */
export interface NetworkSpec {
  /** Unique within the pool, e.g. the model id. */
  readonly id: string;
  /** Absolute path of the ONNX file. */
  readonly onnxPath: string;
  /** Lower-case hex; checked by the worker on the bytes it loads. */
  readonly sha256: string;
  readonly frontEnd: FrontEnd;
  /** Name of the tensor that takes frames or samples, its layout, and of the optional length tensor (NeMo). */
  readonly input: {
    readonly name: string;
    /** time-bins: [1, T, bins] (Kaldi families); bins-time: [1, bins, T] (NeMo); samples: [1, N] (waveform models) */
    readonly layout: 'time-bins' | 'bins-time' | 'samples';
    readonly lengthName: string | null;
  };
  /** Name of the tensor to read. */
  readonly outputName: string;
}

/** One network's answer. */
export interface NetworkOutput {
  /** Values in row-major order of `dims`. */
  readonly values: Float32Array;
  readonly dims: readonly number[];
  /** Waiting for a free worker, ms. */
  readonly queuedMs: number;
  /** Front-end, ms. */
  readonly featuresMs: number;
  /** ONNX Runtime, ms. */
  readonly networkMs: number;
}

/** A bounded set of worker threads, each holding one session per network. */
export interface InferencePool {
  /**
   * Runs a network on mono samples in [-1, 1] at the front-end's rate.
   * The samples are copied, the caller keeps its array.
   * @throws VoicegateError `busy` (with retryAfterSeconds) when the queue is full, `inference_failed` when the worker died or
   *   refused the input, `shutting_down` after close()
   */
  run(networkId: string, samples: Float32Array, signal?: AbortSignal): Promise<NetworkOutput>;
  /** Workers alive and warm, tasks waiting and running, limit of the queue. */
  status(): InferenceStatus;
  /** Finishes what was accepted, then ends the threads. Safe to call twice. */
  close(): Promise<void>;
}

export interface InferenceStatus {
  readonly workers: number;
  readonly workersReady: number;
  readonly waiting: number;
  readonly running: number;
  readonly queueLimit: number;
  /** Threads replaced after a crash since start. */
  readonly workersReplaced: number;
}
