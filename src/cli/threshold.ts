import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { VoicegateError } from '../errors.js';
import type { Interval } from '../tuning/bootstrap.js';
import { readScores } from '../tuning/score-file.js';
import type { ScoreKind } from '../tuning/speaker-report.js';
import { chooseThreshold, type ThresholdChoice, type ThresholdEstimate } from '../tuning/threshold.js';
import { requireWritable } from './require-writable.js';
import { wholeNumber } from './whole-number.js';

interface ThresholdOptions {
  readonly fmr: number[];
  readonly channel?: string;
  readonly scores: ScoreKind;
  readonly rounds: number;
  readonly json?: string;
}

/** `voicegate threshold …`: from a false match rate that an operator can bear to the threshold for it, and what it costs. */
export function thresholdCommand(): Command {
  return new Command('threshold')
    .description('thresholds for wanted false match rates, from the scores of `voicegate eval --scores-file`')
    .argument('<scoresFile>', 'table that `voicegate eval --scores-file` wrote')
    .option('--fmr <rates>', 'wanted false match rates, comma-separated', rates, [1e-2, 1e-3, 1e-4])
    .option('--channel <name>', 'which channel of the file, where it has several')
    .addOption(
      new Option('--scores <kind>', 'thresholds of what: policies hold LLRs')
        .choices(['cosine', 'asnorm', 'llr'])
        .default('llr'),
    )
    .option('--rounds <count>', 'draws of the bootstrap; 0: no intervals', wholeNumber, 1000)
    .option('--json <file>', 'write the result as JSON')
    .action(async (scoresFile: string, options: ThresholdOptions) => {
      await requireWritable([options.json], [scoresFile]);
      const trials = await readScores(scoresFile, options.scores, options.channel);
      for (const isTarget of [true, false]) {
        if (trials.some((trial) => trial.isTarget === isTarget)) continue;
        throw new VoicegateError('invalid_request', `${scoresFile} has no ${isTarget ? 'target' : 'nontarget'} trials`);
      }
      const choices = options.fmr.map((fmr) => chooseThreshold(trials, fmr, { rounds: options.rounds }));
      process.stdout.write(`${choices.map((choice) => choiceText(choice, options.scores)).join('\n')}\n`);
      if (options.json === undefined) return;
      await writeFile(options.json, `${JSON.stringify({ scores: options.scores, thresholds: choices }, null, 2)}\n`);
    });
}

function choiceText(
  { fmr, pairs, pairsNeeded, supported, empirical, extreme }: ThresholdChoice,
  kind: ScoreKind,
): string {
  const support = supported
    ? `${pairs} pairs of different speakers support it (${pairsNeeded} are needed)`
    : `NOT SUPPORTED by the trials: ${pairs} pairs of different speakers, ${pairsNeeded} are needed (rule of three)`;
  const lines = [`FMR ${fmr}: ${support}`, `  counted        ${estimateText(empirical, kind)}`];
  if (extreme === null) lines.push('  extreme-value  too few nontarget scores to fit their tail');
  else {
    const { shape, scale, exceedances } = extreme.tail;
    const fit = `generalised Pareto, shape ${shape.toFixed(2)}, scale ${scale.toFixed(3)}, ${exceedances} scores`;
    lines.push(`  extreme-value  ${estimateText(extreme, kind)}  (an extrapolation: ${fit})`);
  }
  return `${lines.join('\n')}\n`;
}

function estimateText(
  { threshold, thresholdInterval, fnmr, fnmrInterval }: ThresholdEstimate,
  kind: ScoreKind,
): string {
  const number = (value: number): string => value.toFixed(3);
  const percent = (value: number): string => (100 * value).toFixed(2);
  return (
    `threshold ${number(threshold)}${range(thresholdInterval, number)} ${kind}, ` +
    `FNMR ${percent(fnmr)} %${range(fnmrInterval, percent)}`
  );
}

const range = (interval: Interval | null, show: (value: number) => string): string =>
  interval === null ? '' : ` [${show(interval[0])}, ${show(interval[1])}]`;

function rates(value: string): number[] {
  const found = value.split(',').map(Number);
  if (found.every((rate) => rate > 0 && rate < 0.5)) return found;
  throw new InvalidArgumentError('Rates between 0 and 0.5, for example 1e-2,1e-3,1e-4.');
}
