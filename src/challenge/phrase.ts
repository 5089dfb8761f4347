import type { Language } from './languages.js';

/** `near_miss`: all but one digit. `silence`: no digit was heard. */
export type PhraseVerdict = 'match' | 'near_miss' | 'wrong' | 'silence';

/** Was the right phrase said? Plain data, stored with a verification: holds no digits. */
export type PhraseResult =
  /** Nobody listened, or no recogniser knows the language. */
  | { readonly kind: 'not_performed' }
  | {
      readonly kind: 'checked';
      readonly language: Language;
      /** experimental: the recogniser missed its target in this language (see its card). */
      readonly status: 'supported' | 'experimental';
      readonly verdict: PhraseVerdict;
      /** Calibrated natural log-likelihood ratio: the expected string was said, against another. Held within the card's limits. */
      readonly llr: number;
      /** Digits dropped, added or changed between what was expected and what was heard. */
      readonly differences: number;
      /** Speech that is digits, seconds. */
      readonly digitNetSpeechSeconds: number;
      readonly recogniserId: string;
    };

/** Nobody listened for digits. */
export const notPerformed: PhraseResult = { kind: 'not_performed' };

/**
 * The verdict that may count for or against a caller.
 * @param trustedLanguages experimental languages that the policy trusts all the same
 * @returns null where none was made, or the language is experimental and not trusted
 */
export function countedVerdict(phrase: PhraseResult, trustedLanguages: readonly string[]): PhraseVerdict | null {
  if (phrase.kind === 'not_performed') return null;
  return phrase.status === 'supported' || trustedLanguages.includes(phrase.language) ? phrase.verdict : null;
}
