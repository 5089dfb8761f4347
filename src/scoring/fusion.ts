/**
 * One log-likelihood ratio (natural) for "this caller, and these words now" out of the voice's and the phrase's.
 *
 * The alternatives are two attacks, taken as equally likely: another voice that says the right words, and the right voice with
 * other words (a recording). Under the first only the voice tells, under the second only the phrase, so
 * LR = 1 / (½ e^−voice + ½ e^−phrase): a soft minimum, at most ln 2 above the weaker of the two. A sum would let good words pay
 * for a wrong voice. Rises with both; NaN where either is.
 */
export function fuseVoiceAndPhrase(voiceLlr: number, phraseLlr: number): number {
  const weaker = Math.min(voiceLlr, phraseLlr);
  if (!Number.isFinite(weaker)) return weaker;
  return weaker - Math.log(0.5 * (1 + Math.exp(-Math.abs(voiceLlr - phraseLlr))));
}
