import t from 'tap';
import { asNorm, cohortStatistics } from '../../src/scoring/as-norm.js';
import { cosine } from '../../src/scoring/cosine.js';
import { cohortOf, directions, madeCohort, model } from './cohorts.js';
import { near } from './seeded-scores.js';

/** Four voices in a plane at 0°, 60°, 90° and 180°. */
const plane = cohortOf([
  [1, 0],
  [0.5, Math.sqrt(0.75)],
  [0, 1],
  [-1, 0],
]);

void t.test('mean and deviation of the nearest voices, by hand', async (t) => {
  // Cosines of [3, 0] to the four: 1, ½, 0, −1. The top three: mean ½, variance (¼ + 0 + ¼) / 3.
  const { mean, sd } = cohortStatistics(Float32Array.of(3, 0), plane, 3);
  near(t, mean, 0.5, 1e-7);
  near(t, sd, Math.sqrt(1 / 6), 1e-7);
  const all = cohortStatistics(Float32Array.of(3, 0), plane, 4);
  near(t, all.mean, 0.125, 1e-7);
  near(t, all.sd, Math.sqrt((0.875 ** 2 + 0.375 ** 2 + 0.125 ** 2 + 1.125 ** 2) / 4), 1e-7);
});

void t.test('a score is measured against both sides and the two are averaged, by hand', async (t) => {
  near(t, asNorm(0.8, { mean: 0.4, sd: 0.1 }, { mean: 0.2, sd: 0.2 }), (4 + 3) / 2, 1e-12);
  near(t, asNorm(0.1, { mean: 0.4, sd: 0.1 }, { mean: 0.2, sd: 0.2 }), (-3 - 0.5) / 2, 1e-12);
});

void t.test('the two sides may be changed over', async (t) => {
  const cohort = madeCohort(30);
  const [a = new Float32Array(8), b = new Float32Array(8)] = directions(2, model.dimension, 77);
  const [statsA, statsB] = [cohortStatistics(a, cohort, 10), cohortStatistics(b, cohort, 10)];
  near(t, asNorm(cosine(a, b), statsA, statsB), asNorm(cosine(b, a), statsB, statsA), 1e-12);
});

void t.test('it rises with the cosine, and a shift of all cosines of both sides moves nothing', async (t) => {
  const enrol = { mean: 0.3, sd: 0.1 };
  const test = { mean: 0.35, sd: 0.08 };
  let last = -Infinity;
  for (let cosine = -1; cosine <= 1; cosine += 0.05) {
    const score = asNorm(cosine, enrol, test);
    t.ok(score > last);
    last = score;
    const shift = 0.2;
    near(t, asNorm(cosine + shift, { ...enrol, mean: 0.3 + shift }, { ...test, mean: 0.35 + shift }), score, 1e-9);
  }
});

void t.test('voices that all sound the same give no scale, so the score is no number', async (t) => {
  t.ok(Number.isNaN(asNorm(0.9, { mean: 0.4, sd: 0 }, { mean: 0.2, sd: 0.2 })));
  t.ok(Number.isNaN(asNorm(0.9, { mean: 0.4, sd: 0.1 }, { mean: 0.2, sd: NaN })));
  t.ok(Number.isNaN(asNorm(NaN, { mean: 0.4, sd: 0.1 }, { mean: 0.2, sd: 0.2 })));
});

void t.test('vectors and numbers that do not fit the cohort are refused', async (t) => {
  t.throws(() => cohortStatistics(Float32Array.of(1, 0, 0), plane, 3), RangeError);
  t.throws(() => cohortStatistics(Float32Array.of(0, 0), plane, 3), RangeError);
  for (const topN of [0, 1, 5, NaN]) t.throws(() => cohortStatistics(Float32Array.of(1, 0), plane, topN), RangeError);
});
