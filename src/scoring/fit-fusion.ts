import { cllr } from './cllr.js';
import { errorRatesAt, type Trials } from './error-rates.js';
import { fuse, type FusionLine } from './fusion.js';
import { fitLogistic } from './logistic.js';

/** LLRs of one factor by truth: the right voice or another's; the words asked for or others. */
export interface FactorLlrs {
  readonly right: readonly number[];
  readonly wrong: readonly number[];
}

/** Voice and phrase of one attempt. */
type Attempt = readonly [voiceLlr: number, phraseLlr: number];

/** Attempts by who speaks and what is said. */
export interface FusionTrials {
  readonly genuine: readonly Attempt[];
  /** Another voice with the right words; another voice with other words; the right voice with other words. */
  readonly attacks: Readonly<Record<AttackName, readonly Attempt[]>>;
}

export const attackNames = ['stranger, right words', 'stranger, other words', 'recording of the caller'] as const;
export type AttackName = (typeof attackNames)[number];

/**
 * Pairs the LLRs of voices with those of phrases, which are independent once it is known who spoke and what was said: the longer list of the
 * two decides how many attempts there are, the other is gone through again and again.
 */
export function pairFactors(voice: FactorLlrs, phrase: FactorLlrs): FusionTrials {
  const pair = (voices: readonly number[], phrases: readonly number[]): Attempt[] =>
    Array.from({ length: Math.max(voices.length, phrases.length) }, (_, i) => [
      voices[i % voices.length] as number,
      phrases[i % phrases.length] as number,
    ]);
  return {
    genuine: pair(voice.right, phrase.right),
    attacks: {
      'stranger, right words': pair(voice.wrong, phrase.right),
      'stranger, other words': pair(voice.wrong, phrase.wrong),
      'recording of the caller': pair(voice.right, phrase.wrong),
    },
  };
}

/** The range of phrase LLRs that counts, and what a right PIN adds: given, not fitted. */
export type HeldPhrase = Pick<FusionLine, 'leastPhraseLlr' | 'mostPhraseLlr' | 'rightPinLlr'>;

/** The weights that cost least (Cllr) against the three attacks, each counting the same. */
export function fitFusion(trials: FusionTrials, held: HeldPhrase): FusionLine {
  const { leastPhraseLlr, mostPhraseLlr } = held;
  const rows = (attempts: readonly Attempt[]): number[][] =>
    attempts.map(([voice, phrase]) => [voice, Math.min(mostPhraseLlr, Math.max(leastPhraseLlr, phrase))]);
  const targets = rows(trials.genuine);
  const groups = attackNames.map((name) => ({ targets, nontargets: rows(trials.attacks[name]) }));
  const { weights, offset } = fitLogistic(groups, { prior: 0.5 });
  const [voice = NaN, phrase = NaN] = weights;
  return { ...held, voice, phrase, offset };
}

/** How attempts are judged by one number. */
export type Judge = (attempt: Attempt) => number;

/** The line as a judge, without a PIN. */
export const lineOf =
  (fusion: FusionLine): Judge =>
  ([voiceLlr, phraseLlr]) =>
    fuse({ voiceLlr, phraseLlr, rightPin: false }, fusion);

/** Mean Cllr over the three attacks, bits. */
export function fusionCllr(trials: FusionTrials, judge: Judge): number {
  const targets = trials.genuine.map(judge);
  const costs = attackNames.map((name) => cllr({ targets, nontargets: trials.attacks[name].map(judge) }));
  return costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
}

/** Share of each attack that passes where so large a share of the genuine attempts does not (FNMR). */
export function passedAtFnmr(trials: FusionTrials, judge: Judge, fnmr: number): Readonly<Record<AttackName, number>> {
  const sorted = Float64Array.from(trials.genuine, judge).sort();
  const threshold = sorted[Math.floor(fnmr * sorted.length)] as number;
  const passed = (name: AttackName): number => {
    const judged: Trials = { targets: [...sorted], nontargets: trials.attacks[name].map(judge) };
    return errorRatesAt(judged, threshold).fmr;
  };
  return Object.fromEntries(attackNames.map((name) => [name, passed(name)])) as Record<AttackName, number>;
}
