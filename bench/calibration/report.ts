import { cosine } from '../../src/scoring/cosine.js';
import { cllr, minCllr } from '../../src/scoring/cllr.js';
import { equalErrorRate, errorRatesAt, minDcf } from '../../src/scoring/error-rates.js';
import { scoresOf, type ScoredList, type ScoredTrial } from './scored-trials.js';

const percent = (share: number): string => (100 * share).toFixed(share < 0.01 ? 2 : 1);

/**
 * One line of a Markdown table for each list: how well the scores tell speakers apart, how well the LLRs are calibrated, and the
 * error rates at each threshold as FNMR / FMR in percent. FMR below 3 / trials cannot be told from none.
 */
export function reportRates(
  lists: readonly ScoredList[],
  llr: (trial: ScoredTrial) => number,
  thresholds: Readonly<Record<string, number>>,
): string[] {
  const names = Object.entries(thresholds).map(([name, value]) => `${name} ${value}`);
  const head = ['list', 'condition', 'target / nontarget', 'EER', 'minDCF(0.01)', 'Cllr', 'min Cllr', ...names];
  const body = lists.map(({ source, condition, trials, unheard }) => {
    const scores = scoresOf(trials, llr);
    const rates = Object.values(thresholds).map((threshold) => {
      const { fnmr, fmr } = errorRatesAt(scores, threshold);
      return `${percent(fnmr)} / ${percent(fmr)}`;
    });
    const counts = `${scores.targets.length} / ${scores.nontargets.length}${unheard > 0 ? ` (${unheard} unheard)` : ''}`;
    return [
      source,
      condition,
      counts,
      percent(equalErrorRate(scores)),
      minDcf(scores, 0.01).toFixed(3),
      cllr(scores).toFixed(3),
      minCllr(scores).toFixed(3),
      ...rates,
    ];
  });
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
}

/**
 * For thresholds of the self-consistency: the share of one speaker's enrolments with a pair below it, and of enrolments whose last
 * utterance is another speaker's of the same list that it catches.
 */
export function reportSelfConsistency(lists: readonly ScoredList[], thresholds: readonly number[]): string[] {
  const head = ['list', 'condition', 'enrolments', ...thresholds.map((value) => value.toFixed(2))];
  const rows = lists.flatMap(({ source, condition, enrolments }) => {
    const whole = enrolments.filter(({ vectors }) => vectors.length >= 3);
    if (whole.length < 2) return [];
    const genuine = whole.map(({ vectors }) => leastCosine(vectors));
    const mixed = whole.flatMap(({ vectors }, i) =>
      whole
        .filter((_, j) => j !== i)
        .map((other) => leastCosine([...vectors.slice(0, -1), other.vectors.at(-1) as Float32Array])),
    );
    return [{ source, condition, genuine, mixed }];
  });
  const pooled = {
    source: 'all',
    condition: 'both',
    genuine: rows.flatMap((row) => row.genuine),
    mixed: rows.flatMap((row) => row.mixed),
  };
  const below = (values: readonly number[], threshold: number): string =>
    percent(values.filter((value) => value < threshold).length / values.length);
  const body = [...rows, pooled].map(({ source, condition, genuine, mixed }) => [
    source,
    condition,
    String(genuine.length),
    ...thresholds.map((threshold) => `${below(genuine, threshold)} / ${below(mixed, threshold)}`),
  ]);
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
}

function leastCosine(vectors: readonly Float32Array[]): number {
  const pairs = vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => cosine(a, b)));
  return Math.min(...pairs);
}
