/** A speaker embedding. */
export interface Embedding {
  /** Unit length, `dimension` of the model card. */
  readonly vector: Float32Array;
  readonly modelId: string;
  /** Seconds of speech it was made from. */
  readonly netSpeechSeconds: number;
}
