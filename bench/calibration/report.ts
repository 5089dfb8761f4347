import { cosine } from '../../src/scoring/cosine.js';
import { cllr, minCllr } from '../../src/scoring/cllr.js';
import { equalErrorRate, errorRatesAt, minDcf, type Trials } from '../../src/scoring/error-rates.js';
import { crossValidate, type HeldMeasure } from '../../src/scoring/fit-voice.js';
import type { ListedTrial, ScoredList } from './scored-lists.js';

type Llr = (trial: ListedTrial) => number;

const testSeconds: HeldMeasure = { name: 'ln-test-seconds', least: 0, most: Math.log(8) };
const enrolSeconds: HeldMeasure = { name: 'ln-enrol-seconds', least: Math.log(2), most: Math.log(15) };
const snr: HeldMeasure = { name: 'test-snr-db', least: 0, most: 30 };

/** Measures beside the score that are tried. */
export const candidates = {
  'score alone': [],
  'test seconds': [testSeconds],
  'test seconds, enrolment seconds': [testSeconds, enrolSeconds],
  'test seconds, SNR': [testSeconds, snr],
  'all three': [testSeconds, enrolSeconds, snr],
} as const;

/** Normalisations with the adopted measures, then measures with the adopted normalisation, cross-validated over speakers. */
export function reportCandidates(
  scored: (top: number | null) => readonly ScoredList[],
  tops: readonly (number | null)[],
  adoptedTop: number,
): string[] {
  const row = (top: number | null, name: keyof typeof candidates): string[] => {
    const { cllr, minCllr, eer } = crossValidate(scored(top), candidates[name]);
    const score = top === null ? 'cosine' : `AS-norm, top ${top}`;
    return [score, name, cllr.toFixed(4), minCllr.toFixed(4), percent(eer)];
  };
  const others = (Object.keys(candidates) as (keyof typeof candidates)[]).filter((name) => name !== 'test seconds');
  const rows = [...tops.map((top) => row(top, 'test seconds')), ...others.map((name) => row(adoptedTop, name))];
  return table(['score', 'measures', 'Cllr', 'least Cllr', 'pooled EER %'], rows);
}

/**
 * How well the scores tell speakers apart and how well the LLRs are calibrated in each list and in the dev lists pooled, and the error rates
 * at each threshold as FNMR / FMR in percent. FMR below 3 / trials cannot be told from none.
 */
export function reportRates(lists: readonly ScoredList[], llr: Llr, thresholds: readonly number[]): string[] {
  const dev = lists.filter(({ source }) => source.startsWith('dev/'));
  const all = [...lists, pooled(dev, 'plain'), pooled(dev, 'telephone')];
  const rows = all.map(({ source, condition, trials, unheard }) => {
    const llrs = byKind(trials, llr);
    const rates = thresholds.map((threshold) => {
      const { fnmr, fmr } = errorRatesAt(llrs, threshold);
      return `${percent(fnmr)} / ${percent(fmr)}`;
    });
    return [
      source,
      condition,
      `${llrs.targets.length} / ${llrs.nontargets.length}${unheard > 0 ? ` (${unheard} unheard)` : ''}`,
      `${percent(equalErrorRate(byKind(trials, (trial) => trial.cosine)))} / ${percent(equalErrorRate(llrs))}`,
      minDcf(llrs, 0.01).toFixed(3),
      cllr(llrs).toFixed(3),
      minCllr(llrs).toFixed(3),
      ...rates,
    ];
  });
  const names = thresholds.map((threshold) => String(threshold));
  return table(
    ['list', 'condition', 'target / nontarget', 'EER cosine / LLR', 'minDCF(0.01)', 'Cllr', 'least Cllr', ...names],
    rows,
  );
}

/** Enrolment sizes down, test lengths across, over all lists that have both. */
export function reportDurations(lists: readonly ScoredList[], llr: Llr): string[] {
  const trials = lists.flatMap((list) => list.trials);
  const lengths = [1, 2, 4, 8];
  const rows = [1, 3, 5].map((size) => [
    String(size),
    ...lengths.map((seconds) => {
      const llrs = byKind(
        trials.filter(({ enrolUtterances, test }) => enrolUtterances === size && test.endsWith(` ${seconds}`)),
        llr,
      );
      if (llrs.targets.length === 0) return 'none';
      const figures = `${percent(equalErrorRate(llrs))} / ${cllr(llrs).toFixed(3)} / ${minCllr(llrs).toFixed(3)}`;
      return `${figures} (${llrs.targets.length})`;
    }),
  ]);
  return table(['utterances', ...lengths.map((seconds) => `${seconds} s`)], rows);
}

/**
 * For thresholds of the self-consistency: the share of one speaker's enrolments with a pair below it, and of enrolments whose last
 * utterance is another speaker's of the same list that it catches.
 */
export function reportSelfConsistency(lists: readonly ScoredList[], thresholds: readonly number[]): string[] {
  const rows = lists.flatMap(({ source, condition, enrolments }) => {
    const whole = enrolments.filter((vectors) => vectors.length === 3);
    if (whole.length < 2) return [];
    const genuine = whole.map(leastCosine);
    const mixed = whole.flatMap((vectors, i) =>
      whole
        .filter((_, j) => j !== i)
        .map((other) => leastCosine([...vectors.slice(0, -1), other.at(-1) as Float32Array])),
    );
    return [{ source, condition, genuine, mixed }];
  });
  const all = {
    source: 'all',
    condition: '',
    genuine: rows.flatMap(({ genuine }) => genuine),
    mixed: rows.flatMap(({ mixed }) => mixed),
  };
  const below = (values: readonly number[], threshold: number): string =>
    percent(values.filter((value) => value < threshold).length / values.length);
  const cells = [...rows, all].map(({ source, condition, genuine, mixed }) => [
    source,
    condition,
    String(genuine.length),
    ...thresholds.map((threshold) => `${below(genuine, threshold)} / ${below(mixed, threshold)}`),
  ]);
  return table(['list', 'condition', 'enrolments', ...thresholds.map((value) => value.toFixed(2))], cells);
}

export const percent = (share: number): string => (100 * share).toFixed(share < 0.01 ? 2 : 1);

function byKind(trials: readonly ListedTrial[], score: Llr): Trials {
  const of = (isTarget: boolean): number[] => trials.filter((trial) => trial.isTarget === isTarget).map(score);
  return { targets: of(true), nontargets: of(false) };
}

function pooled(lists: readonly ScoredList[], condition: string): ScoredList {
  const parts = lists.filter((list) => list.condition === condition);
  return {
    source: 'dev pooled',
    condition,
    trials: parts.flatMap(({ trials }) => trials),
    unheard: parts.reduce((sum, { unheard }) => sum + unheard, 0),
    enrolments: [],
  };
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function leastCosine(vectors: readonly Float32Array[]): number {
  return Math.min(...vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => cosine(a, b))));
}
