import type { Fusion } from './calibration.js';

/** All of a calibration's fusion that the formula needs. */
export type FusionLine = Omit<Fusion, 'recogniserId' | 'crossValidation'>;

/**
 * The line of the model that is used by default (bench/calibrate, 2026-11-27). It is over calibrated LLRs, which mean the same for every model: so
 * it serves models for which no phrases were heard.
 */
export const usualFusion: Fusion = {
  voice: 0.701,
  phrase: 0.473,
  offset: -1.999,
  rightPinLlr: Math.LN2,
  leastPhraseLlr: -12.39,
  mostPhraseLlr: 7.09,
  recogniserId: 'digits-8k',
  crossValidation: { cllr: 0.2205 },
};

/** What the factors of one verification say. */
export interface FusedFactors {
  /** Calibrated voice LLR. */
  readonly voiceLlr: number;
  /** Calibrated phrase LLR; null where nobody listened for the words, which counts as an LLR of 0. */
  readonly phraseLlr: number | null;
  /** A right PIN was given. A wrong one is no number here: the decision refuses it outright. */
  readonly rightPin: boolean;
}

/**
 * One natural log-likelihood ratio for "this caller, and these words now" out of voice, phrase and PIN: a line over the LLRs whose weights were
 * fitted against three attacks taken as equally likely: a stranger who says the right words, a stranger who says other words, the right
 * voice with other words (a recording). The phrase counts within the range that the fit has seen, so that no certainty about words
 * buys more than a stranger's voice costs. Rises with each factor; NaN where the voice or the phrase is.
 */
export function fuse({ voiceLlr, phraseLlr, rightPin }: FusedFactors, fusion: FusionLine): number {
  const { voice, phrase, rightPinLlr, offset, leastPhraseLlr, mostPhraseLlr } = fusion;
  const words = Math.min(mostPhraseLlr, Math.max(leastPhraseLlr, phraseLlr ?? 0));
  return voice * voiceLlr + phrase * words + (rightPin ? rightPinLlr : 0) + offset;
}
