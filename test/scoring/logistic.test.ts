import t from 'tap';
import { cllr, minCllr } from '../../src/scoring/cllr.js';
import type { Trials } from '../../src/scoring/error-rates.js';
import { fitLogistic, type LinearLlr, type TrialGroup } from '../../src/scoring/logistic.js';
import { near, normalScores } from './seeded-scores.js';

const rows = ({ targets, nontargets }: Trials): TrialGroup => ({
  targets: targets.map((x) => [x]),
  nontargets: nontargets.map((x) => [x]),
});
const applied = (fit: LinearLlr, scores: readonly number[]): number[] =>
  scores.map((x) => (fit.weights[0] ?? NaN) * x + fit.offset);

void t.test('finds the slope and offset that two normal distributions have by formula', async (t) => {
  // Unit normals a distance d apart: llr = d·x − d²/2.
  const fit = fitLogistic([rows(normalScores(40_000, 2))], { prior: 0.5 });
  near(t, fit.weights[0] ?? NaN, 2, 0.05);
  near(t, fit.offset, -2, 0.05);
});

void t.test(
  'the numbers of the two kinds do not move the fit, nor does the prior where the model is right',
  async (t) => {
    const { targets, nontargets } = normalScores(40_000, 2);
    const few = fitLogistic([rows({ targets: targets.slice(0, 4000), nontargets })], { prior: 0.5 });
    const rare = fitLogistic([rows({ targets, nontargets })], { prior: 0.05 });
    near(t, few.weights[0] ?? NaN, 2, 0.15);
    near(t, few.offset, -2, 0.15);
    near(t, rare.weights[0] ?? NaN, 2, 0.1);
    near(t, rare.offset, -2, 0.1);
  },
);

void t.test('at prior ½ no other line has a lower Cllr', async (t) => {
  const scores = normalScores(2000, 1.5);
  const fit = fitLogistic([rows(scores)], { prior: 0.5 });
  const costOf = (candidate: LinearLlr): number =>
    cllr({ targets: applied(candidate, scores.targets), nontargets: applied(candidate, scores.nontargets) });
  const least = costOf(fit);
  const slope = fit.weights[0] ?? NaN;
  for (const [dw, db] of [
    [0.05, 0],
    [-0.05, 0],
    [0, 0.05],
    [0, -0.05],
  ] as const) {
    t.ok(costOf({ weights: [slope + dw], offset: fit.offset + db }) > least);
  }
  t.ok(least >= minCllr(scores) && least - minCllr(scores) < 0.02);
});

void t.test('a feature that says nothing gets no weight', async (t) => {
  const { targets, nontargets } = normalScores(5000, 2);
  const noise = normalScores(5000, 0, 99);
  const group = {
    targets: targets.map((x, i) => [x, noise.targets[i] ?? 0]),
    nontargets: nontargets.map((x, i) => [x, noise.nontargets[i] ?? 0]),
  };
  near(t, fitLogistic([group], { prior: 0.5 }).weights[1] ?? NaN, 0, 0.1);
});

void t.test('each group counts the same, however many trials it has', async (t) => {
  const large = rows(normalScores(20_000, 3));
  const one = rows(normalScores(500, 1));
  const together = fitLogistic([large, one], { prior: 0.5 });
  const repeated = {
    targets: Array(40).fill(one.targets).flat(),
    nontargets: Array(40).fill(one.nontargets).flat(),
  } as TrialGroup;
  const evenly = fitLogistic([large, repeated], { prior: 0.5 });
  near(t, together.weights[0] ?? NaN, evenly.weights[0] ?? NaN, 1e-6);
  near(t, together.offset, evenly.offset, 1e-6);
});

void t.test('scores that a threshold separates still give finite numbers', async (t) => {
  const fit = fitLogistic([{ targets: [[2], [3]], nontargets: [[0], [1]] }], { prior: 0.5 });
  t.ok(Number.isFinite(fit.offset) && Number.isFinite(fit.weights[0]));
  t.ok((fit.weights[0] ?? 0) > 1);
});

void t.test('a fit without both kinds of trials is refused', async (t) => {
  t.throws(() => fitLogistic([], { prior: 0.5 }), RangeError);
  t.throws(() => fitLogistic([{ targets: [], nontargets: [[1]] }], { prior: 0.5 }), RangeError);
});
