/** What the phrase check found. Until a digit recogniser is installed it is always `not_performed`. */
export type PhraseResult =
  | { readonly kind: 'not_performed' }
  | {
      readonly kind: 'checked';
      readonly verdict: 'match' | 'near_miss' | 'wrong' | 'silence';
      /** Log-likelihood ratio (natural) of the expected string against the best other. */
      readonly llr: number;
    };
