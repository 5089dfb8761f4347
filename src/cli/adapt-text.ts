import type { Adaptation } from '../tuning/adapt.js';
import type { Strangers } from '../tuning/own-report.js';
import type { Rates } from '../tuning/speaker-report.js';

const kinds = {
  labelled: 'callers are named: fitted by logistic regression',
  'few labels': 'few callers are named: fitted in closed form',
  unlabelled: 'nobody is named: strangers put where the shipped line had them; how own callers score was not measured',
} as const;

/** What adapting changed, as text for a terminal; rates in percent, 95 % intervals in brackets. */
export function adaptText({ calibration, report }: Adaptation): string {
  const { kind, calls, voices, cohortSize, centreLength, rates, strangers } = report;
  const head = [
    `calibration ${calibration.version} of ${calibration.modelId}: ${calls} calls of ${voices} voices, ${kinds[kind]}`,
    `cohort of ${cohortSize}, centre of length ${centreLength.toFixed(3)}`,
  ];
  const body =
    rates !== null
      ? ratesText(rates.before, rates.after)
      : strangers !== null
        ? [
            `${strangers.comparisons} comparisons of different calls`,
            strangersText('before', strangers.before),
            strangersText('after', strangers.after),
          ]
        : [];
  return `${[...head, ...body].join('\n')}\n`;
}

function ratesText(before: Rates | null, after: Rates): string[] {
  const row = (name: string, rates: Rates): string =>
    [
      `${name}: Cllr ${rates.cllr?.toFixed(3)}, least ${rates.minCllr?.toFixed(3)}, ` +
        `EER ${percent(rates.eer)}${interval(rates.eerInterval)}, actual DCF at 0.01 ${rates.actDcf01?.toFixed(3)}`,
      ...rates.thresholds.map(
        (at) =>
          `  ${at.name} (LLR ${at.llr}): FNMR ${percent(at.fnmr)}${interval(at.fnmrInterval)}, FMR ${percent(at.fmr)}${interval(at.fmrInterval)}`,
      ),
    ].join('\n');
  return [
    `${after.targets} comparisons of one caller with himself, ${after.nontargets} of different callers; after: judged by fits that knew neither`,
    before === null ? 'before: the model had no calibration' : row('before', before),
    row('after', after),
  ];
}

function strangersText(name: string, { medianLlr, sdLlr, above }: Strangers): string {
  const shares = above.map((at) => `${at.name} (LLR ${at.llr}) ${percent(at.share)}`).join(', ');
  return `${name}: median LLR ${medianLlr.toFixed(2)}, deviation ${sdLlr.toFixed(2)}; at or above: ${shares}`;
}

const percent = (share: number | null): string => (share === null ? '-' : (100 * share).toFixed(2));
const interval = (of: readonly [number, number] | null): string =>
  of === null ? '' : ` [${percent(of[0])}, ${percent(of[1])}]`;
