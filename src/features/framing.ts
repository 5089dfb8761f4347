/** How a signal is cut into frames. */
export interface Framing {
  readonly lengthSamples: number;
  readonly shiftSamples: number;
  /** What lies beyond the ends of the signal: nothing (only whole frames count), the signal mirrored, or silence. */
  readonly edges: 'none' | 'mirror' | 'silence';
  /** Where frames lie: frame t begins at shift × t − this. 0 where edges are `none`. */
  readonly leadSamples: number;
  /** x[n] − c x[n−1] over the whole signal before framing; 0 for none. */
  readonly signalPreEmphasis: number;
  /** Number of frames of a signal of so many samples. */
  readonly framesOf: (samples: number) => number;
}

/** Kaldi's framing: `snipEdges` keeps whole frames only; without it frame t is centred at shift × (t + ½), the ends mirrored. */
export function kaldiFraming(lengthSamples: number, shiftSamples: number, snipEdges: boolean): Framing {
  const common = { lengthSamples, shiftSamples, signalPreEmphasis: 0 };
  if (snipEdges) {
    const framesOf = (samples: number): number =>
      samples < lengthSamples ? 0 : 1 + Math.floor((samples - lengthSamples) / shiftSamples);
    return { ...common, edges: 'none', leadSamples: 0, framesOf };
  }
  return {
    ...common,
    edges: 'mirror',
    leadSamples: Math.floor(lengthSamples / 2) - Math.floor(shiftSamples / 2),
    framesOf: (samples) => Math.floor((samples + Math.floor(shiftSamples / 2)) / shiftSamples),
  };
}

/** NeMo's framing: frame t is centred at shift × t, silence beyond the ends; its length counts floor(samples / shift) frames as valid. */
export function nemoFraming(lengthSamples: number, shiftSamples: number, signalPreEmphasis: number): Framing {
  return {
    lengthSamples,
    shiftSamples,
    edges: 'silence',
    leadSamples: Math.floor(lengthSamples / 2),
    signalPreEmphasis,
    framesOf: (samples) => Math.floor(samples / shiftSamples),
  };
}
