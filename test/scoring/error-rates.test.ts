import t from 'tap';
import { cllr, minCllr } from '../../src/scoring/cllr.js';
import { actDcf, equalErrorRate, errorRatesAt, minDcf, operatingPoints } from '../../src/scoring/error-rates.js';
import { near, normalScores } from './seeded-scores.js';

const small = { targets: [1, 2, 3, 4], nontargets: [-1, 0, 1.5, 2.5] };

void t.test('a score at the threshold is a match', async (t) => {
  t.same(errorRatesAt(small, 2), { fnmr: 0.25, fmr: 0.25 });
  t.same(errorRatesAt(small, 2.5), { fnmr: 0.5, fmr: 0.25 });
  t.same(errorRatesAt(small, -Infinity), { fnmr: 0, fmr: 1 });
  t.same(errorRatesAt(small, Infinity), { fnmr: 1, fmr: 0 });
});

void t.test('operating points run from all match to none matches, and equal scores move together', async (t) => {
  const points = operatingPoints({ targets: [0, 0, 1], nontargets: [0, 0] });
  t.same(points, [
    { fnmr: 0, fmr: 1 },
    { fnmr: 2 / 3, fmr: 0 },
    { fnmr: 1, fmr: 0 },
  ]);
});

void t.test(
  'equal error rate: none for separate scores, a half for equal ones, interpolated between points',
  async (t) => {
    t.equal(equalErrorRate({ targets: [2, 3], nontargets: [0, 1] }), 0);
    t.equal(equalErrorRate({ targets: [0, 1], nontargets: [0, 1] }), 0.5);
    t.equal(equalErrorRate(small), 0.25);
    t.equal(equalErrorRate({ targets: [0, 1], nontargets: [2, 3] }), 1, 'scores the wrong way round');
  },
);

void t.test('equal error rate of two normal distributions is that of the formula', async (t) => {
  // Means two standard deviations apart: Φ(−1) = 0.158655.
  near(t, equalErrorRate(normalScores(40_000, 2)), 0.158655, 0.004);
});

void t.test('detection cost is 0 for separate scores and at most 1 at its best threshold', async (t) => {
  t.equal(minDcf({ targets: [2, 3], nontargets: [0, 1] }, 0.01), 0);
  t.equal(minDcf({ targets: [0, 0], nontargets: [0, 0] }, 0.01), 1);
  // Threshold 4: three of four targets missed, no false match; threshold 3: half missed. 0.01·0.5 / 0.01.
  near(t, minDcf(small, 0.01), 0.5, 1e-12);
});

void t.test(
  'the cost at Bayes’ threshold meets the least cost for calibrated ratios and exceeds it for others',
  async (t) => {
    // For unit normals at ±d/2 the score times d is the log-likelihood ratio.
    const { targets, nontargets } = normalScores(40_000, 3);
    const llrs = { targets: targets.map((x) => 3 * (x - 1.5)), nontargets: nontargets.map((x) => 3 * (x - 1.5)) };
    const shifted = { targets: llrs.targets.map((x) => x + 3), nontargets: llrs.nontargets.map((x) => x + 3) };
    const least = minDcf(llrs, 0.05);
    near(t, actDcf(llrs, 0.05), least, 0.01);
    near(t, minDcf(shifted, 0.05), least, 1e-12);
    t.ok(actDcf(shifted, 0.05) > 1.5 * least);
  },
);

void t.test(
  'Cllr is 1 for ratios that say nothing, 0 for certain right ones, and finite ones follow the formula',
  async (t) => {
    t.equal(cllr({ targets: [0, 0], nontargets: [0] }), 1);
    t.equal(cllr({ targets: [Infinity], nontargets: [-Infinity] }), 0);
    t.equal(cllr({ targets: [-Infinity], nontargets: [-1] }), Infinity);
    near(
      t,
      cllr({ targets: [1], nontargets: [-2] }),
      (Math.log2(1 + Math.exp(-1)) + Math.log2(1 + Math.exp(-2))) / 2,
      1e-12,
    );
    near(t, cllr({ targets: [-2000], nontargets: [0] }), (2000 / Math.LN2 + 1) / 2, 1e-9);
  },
);

void t.test('least Cllr does not depend on monotone maps and is met by calibrated ratios', async (t) => {
  const { targets, nontargets } = normalScores(40_000, 3);
  const llrs = { targets: targets.map((x) => 3 * (x - 1.5)), nontargets: nontargets.map((x) => 3 * (x - 1.5)) };
  const bent = { targets: targets.map(Math.exp), nontargets: nontargets.map(Math.exp) };
  near(t, minCllr(bent), minCllr(llrs), 1e-12);
  t.ok(minCllr(llrs) <= cllr(llrs));
  near(t, minCllr(llrs), cllr(llrs), 0.005);
  t.equal(minCllr({ targets: [2, 3], nontargets: [0, 1] }), 0);
  near(t, minCllr({ targets: [0, 1], nontargets: [2, 3] }), 1, 1e-12);
});

void t.test('error rates of no trials are refused', async (t) => {
  t.throws(() => equalErrorRate({ targets: [], nontargets: [1] }), RangeError);
  t.throws(() => minDcf({ targets: [1], nontargets: [] }, 0.01), RangeError);
});
