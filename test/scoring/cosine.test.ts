import t from 'tap';
import { cosine, unit, weightedMean } from '../../src/scoring/cosine.js';
import { near } from './seeded-scores.js';

const vector = (...values: number[]): Float32Array => Float32Array.from(values);

void t.test('cosine runs from −1 to 1 and knows no length', async (t) => {
  near(t, cosine(vector(1, 2, 3), vector(2, 4, 6)), 1, 1e-12);
  near(t, cosine(vector(1, 0), vector(-3, 0)), -1, 1e-12);
  t.equal(cosine(vector(1, 0), vector(0, 5)), 0);
  near(t, cosine(vector(1, 1), vector(1, 0)), Math.SQRT1_2, 1e-7);
  t.equal(cosine(vector(0, 0), vector(1, 0)), 0, 'no direction is like none');
});

void t.test('vectors of different dimensions are not compared', async (t) => {
  t.throws(() => cosine(vector(1, 0), vector(1, 0, 0)), RangeError);
});

void t.test('unit keeps the direction at length 1 and leaves its input alone', async (t) => {
  const long = vector(3, 4);
  const short = unit(long);
  near(t, short[0] ?? NaN, 0.6, 1e-7);
  near(t, short[1] ?? NaN, 0.8, 1e-7);
  t.same([...long], [3, 4]);
  for (const bad of [vector(0, 0), vector(NaN, 1), vector(Infinity, 1)]) t.throws(() => unit(bad), RangeError);
});

void t.test('a mean weighs directions, not lengths', async (t) => {
  const mean = weightedMean([vector(100, 0), vector(0, 0.01)], [1, 1]);
  near(t, mean[0] ?? NaN, Math.SQRT1_2, 1e-6);
  near(t, mean[1] ?? NaN, Math.SQRT1_2, 1e-6);
  const heavier = weightedMean([vector(1, 0), vector(0, 1)], [3, 4]);
  near(t, heavier[0] ?? NaN, 0.6, 1e-6);
  near(t, heavier[1] ?? NaN, 0.8, 1e-6);
});

void t.test('a mean of nothing, of unlike dimensions or with a weight that is not positive is refused', async (t) => {
  t.throws(() => weightedMean([], []), RangeError);
  t.throws(() => weightedMean([vector(1), vector(1, 0)], [1, 1]), RangeError);
  t.throws(() => weightedMean([vector(1)], [0]), RangeError);
  t.throws(() => weightedMean([vector(1)], [NaN]), RangeError);
  t.throws(() => weightedMean([vector(1)], []), RangeError);
  t.throws(() => weightedMean([vector(1), vector(-1)], [1, 1]), RangeError, 'opposites cancel');
});
