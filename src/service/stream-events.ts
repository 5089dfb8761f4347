/** One thing that a call told. */
export interface StreamEvent {
  /** 1, 2, 3 … in its call. */
  readonly id: number;
  /** `progress`, `interim`, `verdict`, `utterance`, `enrolled`, `error` or `closed`. */
  readonly name: string;
  /** As the key that registered the call may see it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of the calls that this node hears, or heard a minute ago. */
export interface StreamEvents {
  /**
   * Tells a call's events after one that was seen, those kept at once and the others as they come, then null when the call is over.
   * @returns what ends it; null when this node knows nothing of the call
   */
  subscribe(streamId: string, afterId: number, listener: (event: StreamEvent | null) => void): (() => void) | null;
}
