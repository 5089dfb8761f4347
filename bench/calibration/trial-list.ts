/** Who is compared with whom: recordings, those that make a model, those that are tested, and which pairs are tried. */
export interface TrialList {
  /** E.g. `dev/zh-read`, `train/an4 en`. */
  readonly source: string;
  /** 8 kHz mono, [-1, 1]. */
  readonly recordings: readonly { readonly id: string; readonly speaker: string; readonly samples: Float32Array }[];
  readonly models: readonly { readonly id: string; readonly speaker: string; readonly recordings: readonly string[] }[];
  readonly trials: readonly { readonly model: string; readonly test: string; readonly isTarget: boolean }[];
}
