import { promptLanguages, type Language, type PromptLanguage } from './languages.js';

/**
 * The digits as words, in groups of three or four as people read numbers aloud (8 → 4 + 4, 10 → 3 + 3 + 4).
 * @param digits 0 to 9 only
 */
export function spokenDigits(digits: string, language: Language, options: { readonly sayYaoForOne: boolean }): string {
  const { digitWords, telephoneOne, betweenDigits, betweenGroups }: PromptLanguage = promptLanguages[language];
  const word = (digit: string): string =>
    (digit === '1' && options.sayYaoForOne ? telephoneOne : null) ?? (digitWords[Number(digit)] as string);
  return readingGroups(digits)
    .map((group) => [...group].map(word).join(betweenDigits))
    .join(betweenGroups);
}

/** The sentence that asks a caller for the digits: plain text, no mark-up. */
export function promptText(digits: string, language: Language, options: { readonly sayYaoForOne: boolean }): string {
  return promptLanguages[language].sentence(spokenDigits(digits, language, options));
}

/** Cuts into groups of three and four, the shorter ones first; up to five digits stay together. */
export function readingGroups(digits: string): string[] {
  if (digits.length <= 5) return [digits];
  const groups = Math.ceil(digits.length / 4);
  const shorter = Math.floor(digits.length / groups);
  const longOnes = digits.length - shorter * groups;
  const cuts = Array.from({ length: groups }, (_, i) => shorter + (i >= groups - longOnes ? 1 : 0));
  let at = 0;
  return cuts.map((length) => digits.slice(at, (at += length)));
}
