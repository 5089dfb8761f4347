import type { NetworkSpec, Piece } from './network.js';

/** What a worker is started with. */
export interface WorkerSetup {
  readonly networks: readonly NetworkSpec[];
}

/** Pool → worker. Samples are moved, not copied. */
export type ToWorker =
  | {
      readonly kind: 'run';
      readonly networkId: string;
      readonly samples: Float32Array<ArrayBuffer>;
      readonly piece: Piece | null;
    }
  | { readonly kind: 'stop' };

/**
 * Worker → pool. A worker has one task at a time, so an answer needs no number. Values are moved, and the memory of the samples comes back to be
 * used again.
 */
export type FromWorker =
  | { readonly kind: 'ready' }
  /** A network cannot be used: the thread ends after this. */
  | { readonly kind: 'unusable'; readonly networkId: string; readonly message: string; readonly hint: string }
  | {
      readonly kind: 'answer';
      readonly values: Float32Array;
      readonly dims: readonly number[];
      readonly state: Float32Array | null;
      readonly featuresMs: number;
      readonly networkMs: number;
      readonly memory: ArrayBuffer;
    }
  /** The network refused this input; the worker lives on. */
  | { readonly kind: 'refusal'; readonly message: string; readonly memory: ArrayBuffer };
