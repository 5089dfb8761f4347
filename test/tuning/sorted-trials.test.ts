import t from 'tap';
import { equalErrorRate, minDcf } from '../../src/scoring/error-rates.js';
import { SortedTrials } from '../../src/tuning/sorted-trials.js';
import { near, normalScores, seeded } from '../scoring/seeded-scores.js';

const labelled = ({
  targets,
  nontargets,
}: {
  targets: readonly number[];
  nontargets: readonly number[];
}): { score: number; isTarget: boolean }[] => [
  ...targets.map((score) => ({ score, isTarget: true })),
  ...nontargets.map((score) => ({ score, isTarget: false })),
];

void t.test('with every weight 1 the rates are those of the scoring room, ties and all', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const scores = normalScores(40 + seed, 1 + seed / 10, seed);
    const coarse = (values: readonly number[]): number[] =>
      values.map((x) => Math.round(x * (seed % 4 === 0 ? 1 : 1000)));
    const trials = { targets: coarse(scores.targets), nontargets: coarse(scores.nontargets) };
    const all = labelled(trials);
    const found = new SortedTrials(all).rates(new Array<number>(all.length).fill(1));
    near(t, found?.eer ?? NaN, equalErrorRate(trials), 1e-12);
    near(t, found?.minDcf01 ?? NaN, minDcf(trials, 0.01), 1e-12);
    near(t, found?.minDcf001 ?? NaN, minDcf(trials, 0.001), 1e-9);
  }
});

void t.test('a weight counts a trial as often as it says', async (t) => {
  const random = seeded(3);
  const trials = labelled(normalScores(60, 1.5));
  const weights = trials.map(() => Math.floor(4 * random()));
  const repeated = trials.flatMap((trial, at) => new Array<typeof trial>(weights[at] ?? 0).fill(trial));
  const expected = new SortedTrials(repeated).rates(new Array<number>(repeated.length).fill(1));
  const found = new SortedTrials(trials).rates(weights);
  for (const name of ['eer', 'minDcf01', 'minDcf001'] as const) {
    near(t, found?.[name] ?? NaN, expected?.[name] ?? NaN, 1e-12);
  }
});

void t.test('a draw without one kind of trial has no rates, and scores that are none are refused', async (t) => {
  const trials = labelled({ targets: [1], nontargets: [0] });
  t.equal(new SortedTrials(trials).rates([1, 0]), null);
  t.throws(() => new SortedTrials(labelled({ targets: [1], nontargets: [] })), RangeError);
  t.throws(() => new SortedTrials(labelled({ targets: [NaN], nontargets: [0] })), RangeError);
});
