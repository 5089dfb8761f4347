/** What a pool reports about itself. Closed union; holds no samples and no embeddings. */
export type InferenceEvent =
  | {
      readonly kind: 'run';
      readonly networkId: string;
      /** cancelled: the caller gave up waiting; the times tell what was spent all the same. */
      readonly outcome: 'answered' | 'failed' | 'cancelled';
      readonly queuedMs: number;
      readonly featuresMs: number;
      readonly networkMs: number;
    }
  | { readonly kind: 'refused'; readonly networkId: string; readonly retryAfterSeconds: number }
  | { readonly kind: 'worker-ready'; readonly worker: number; readonly startMs: number }
  | { readonly kind: 'worker-lost'; readonly worker: number; readonly reason: string; readonly restartInMs: number };
