import t from 'tap';
import { cllr } from '../../src/scoring/cllr.js';
import type { Trials } from '../../src/scoring/error-rates.js';
import { fitLinkedGaussians } from '../../src/scoring/linked-gaussians.js';
import { fitLogistic, type LinearLlr } from '../../src/scoring/logistic.js';
import { near, normalScores } from './seeded-scores.js';

const applied = ({ weights, offset }: LinearLlr, { targets, nontargets }: Trials): Trials => {
  const llr = (score: number): number => (weights[0] ?? NaN) * score + offset;
  return { targets: targets.map(llr), nontargets: nontargets.map(llr) };
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
};

void t.test('scale and offset by hand', async (t) => {
  // Means 5 and 1, variances 2 and 4 (divided by one less), half of each: 3.
  const { weights, offset } = fitLinkedGaussians({ targets: [4, 6], nontargets: [-1, 1, 3] }, { prior: 0.5 });
  near(t, weights[0] ?? NaN, 4 / 3, 1e-12);
  near(t, offset, -(25 - 1) / 6, 1e-12);
});

void t.test('the variance is weighted by the prior', async (t) => {
  const { weights } = fitLinkedGaussians({ targets: [4, 6], nontargets: [-1, 1, 3] }, { prior: 0.25 });
  near(t, weights[0] ?? NaN, 4 / 3.5, 1e-12);
});

void t.test('the LLRs of Gaussian scores are linked: opposite means, a variance of twice the mean', async (t) => {
  const scores = normalScores(40_000, 2.5);
  const { targets, nontargets } = applied(fitLinkedGaussians(scores, { prior: 0.5 }), scores);
  near(t, mean(targets), 2.5 ** 2 / 2, 0.06);
  near(t, mean(nontargets), -(2.5 ** 2) / 2, 0.06);
  near(t, variance(targets), 2.5 ** 2, 0.15);
  near(t, variance(nontargets), 2.5 ** 2, 0.15);
});

void t.test('on small sets of Gaussian scores it costs less on new trials than logistic regression does', async (t) => {
  const unseen = normalScores(4000, 2.5, 1);
  const costs = Array.from({ length: 60 }, (_, i) => {
    const { targets, nontargets } = normalScores(100, 2.5, 1000 + 17 * i);
    const few = { targets: targets.slice(0, 8), nontargets };
    const rows = { targets: few.targets.map((x) => [x]), nontargets: few.nontargets.map((x) => [x]) };
    return {
      linked: cllr(applied(fitLinkedGaussians(few, { prior: 0.5 }), unseen)),
      logistic: cllr(applied(fitLogistic([rows], { prior: 0.5 }), unseen)),
    };
  });
  const linked = mean(costs.map((cost) => cost.linked));
  const logistic = mean(costs.map((cost) => cost.logistic));
  t.ok(linked < logistic, `${linked} should be below ${logistic}`);
});

void t.test('scores that say nothing, or the opposite, are refused', async (t) => {
  const prior = 0.5;
  t.throws(() => fitLinkedGaussians({ targets: [1], nontargets: [0, 1] }, { prior }), RangeError);
  t.throws(() => fitLinkedGaussians({ targets: [0, 1], nontargets: [] }, { prior }), RangeError);
  t.throws(() => fitLinkedGaussians({ targets: [0, 1], nontargets: [2, 3] }, { prior }), RangeError);
  t.throws(() => fitLinkedGaussians({ targets: [1, 1], nontargets: [0, 0] }, { prior }), RangeError);
});
