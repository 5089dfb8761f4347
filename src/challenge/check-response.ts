import { logAdd, logProbability } from './ctc.js';
import { fromFrame, type DigitPosteriors } from './digit-posteriors.js';
import type { DigitEvidence } from './digit-recogniser.js';
import type { PhraseResult, PhraseVerdict } from './phrase.js';

/**
 * Holds what was heard against what was asked for. Not a compare of strings: the verdict rests on the posterior probability of the
 * expected string among all strings, so that ten half-heard digits still make good evidence together.
 * @param expected digits 0 to 9
 */
export function checkResponse(expected: string, heard: DigitEvidence): PhraseResult {
  const { rules } = heard;
  const { llr, after, posteriors } = expectedLlr(expected, heard);
  const { scale, offset, leastLlr, mostLlr } = rules.calibration;
  return {
    kind: 'checked',
    language: heard.language,
    status: rules.status,
    verdict: verdictOf(expected, { ...heard, posteriors }, llr),
    llr: Math.min(mostLlr, Math.max(leastLlr, scale * llr + offset)),
    differences: distance(expected, heard.digits.slice(after)),
    digitNetSpeechSeconds: heard.digitNetSpeechSeconds,
    recogniserId: heard.recogniserId,
  };
}

/**
 * Holds what was heard against several strings, any of which may have been said.
 * @param prompts at least one
 * @returns the check of the likeliest one
 */
export function checkAgainstAny(prompts: readonly string[], heard: DigitEvidence): PhraseResult {
  const llrs = prompts.map((prompt) => expectedLlr(prompt, heard).llr);
  return checkResponse(prompts[llrs.indexOf(Math.max(...llrs))] ?? '', heard);
}

/**
 * Log posterior probability of the expected string, natural, at most 0 (−Infinity where it cannot have been said in the time). Where
 * it is no match and the digits heard begin with a part of it, stop, and end as it ends, it is looked for again after the false start.
 * @returns also how many of the digits heard were a false start, and the posteriors that the rest was looked for in
 */
export function expectedLlr(
  expected: string,
  heard: DigitEvidence,
): { readonly llr: number; readonly after: number; readonly posteriors: DigitPosteriors } {
  const { digits, spans, posteriors } = heard;
  const whole = logProbability(posteriors, expected);
  const extra = digits.length - expected.length;
  if (whole >= heard.rules.matchLlr || extra <= 0) return { llr: whole, after: 0, posteriors };
  const lastOfStart = spans[extra - 1];
  const isFalseStart = digits.endsWith(expected.slice(-2)) && expected.startsWith(digits.slice(0, extra));
  if (!isFalseStart || lastOfStart === undefined) return { llr: whole, after: 0, posteriors };
  const rest = fromFrame(posteriors, heard.frameAt(lastOfStart.endSample) + 1);
  const again = logProbability(rest, expected);
  return again > whole ? { llr: again, after: extra, posteriors: rest } : { llr: whole, after: 0, posteriors };
}

/** Whether the verdict would be `match`; costs a hundredth of the whole answer where it is far from it, for measuring against many strings. */
export function isMatch(expected: string, heard: DigitEvidence): boolean {
  const { llr, posteriors } = expectedLlr(expected, heard);
  return heard.digits !== '' && fits(expected, { ...heard, posteriors }, llr);
}

function verdictOf(expected: string, heard: DigitEvidence, llr: number): PhraseVerdict {
  if (heard.digits === '') return 'silence';
  if (fits(expected, heard, llr)) return 'match';
  return logAdd(neighboursLlr(expected, heard.posteriors), llr) >= heard.rules.nearMissLlr ? 'near_miss' : 'wrong';
}

/** Probable enough, and not far less probable than its neighbours: otherwise a string with one wrong digit would pass for the right one. */
function fits(expected: string, { rules, posteriors }: DigitEvidence, llr: number): boolean {
  return llr >= rules.matchLlr && neighboursLlr(expected, posteriors) - llr <= rules.rivalMargin;
}

/** Log posterior probability that one of the strings was said that differ from the expected one in exactly one digit. */
function neighboursLlr(expected: string, posteriors: DigitPosteriors): number {
  let sum = -Infinity;
  for (let at = 0; at < expected.length; at++) {
    for (let digit = 0; digit < 10; digit++) {
      if (expected[at] === String(digit)) continue;
      sum = logAdd(sum, logProbability(posteriors, expected.slice(0, at) + String(digit) + expected.slice(at + 1)));
    }
  }
  return sum;
}

/** Fewest digits to drop, add or change (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
