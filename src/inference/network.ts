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
  /** Tensors of a network that can hear a signal in pieces, see `Piece`; absent: it cannot. */
  readonly memory?: NetworkMemory;
}

/** What a network that remembers takes and gives beside its input and output. */
export interface NetworkMemory {
  /** float32 [1, 1, size] in and out. */
  readonly stateName: string;
  readonly nextStateName: string;
  readonly size: number;
  /** int64 [2]: first unit to hear and the one after the last. A unit is one row of the output. */
  readonly spanName: string;
}

/** A piece of a longer signal: samples around it are what convolutions look at to either side. */
export interface Piece {
  /** What the run before gave; null: the signal begins here. */
  readonly state: Float32Array | null;
  /** Units of the given samples that are answered, [firstUnit, endUnit). */
  readonly firstUnit: number;
  readonly endUnit: number;
}

/** One network's answer. */
export interface NetworkOutput {
  /** Values in row-major order of `dims`. */
  readonly values: Float32Array;
  readonly dims: readonly number[];
  /** What a network that remembers wants to be given with the next piece; null for any other. */
  readonly state: Float32Array | null;
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
   * @param piece for a network with a memory: what of a longer signal these samples are; absent: the whole of it
   * @throws VoicegateError `busy` (with retryAfterSeconds) when the queue is full, `inference_failed` when the worker died or
   *   refused the input, `shutting_down` after close()
   */
  run(networkId: string, samples: Float32Array, signal?: AbortSignal, piece?: Piece): Promise<NetworkOutput>;
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
