import t from 'tap';
import { fromFloat16, toFloat16 } from '../../src/scoring/float16.js';
import { seeded } from './seeded-scores.js';

void t.test('known halves have known bits', async (t) => {
  const known = [
    [0, 0x0000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.333251953125, 0x3555],
    [65504, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [Infinity, 0x7c00],
    [-Infinity, 0xfc00],
  ] as const;
  t.same(
    [...toFloat16(Float32Array.from(known, ([value]) => value))],
    known.map(([, bits]) => bits),
  );
  t.same(
    [...fromFloat16(Uint16Array.from(known, ([, bits]) => bits))],
    known.map(([value]) => value),
  );
});

void t.test('every half but the not-a-numbers survives the way there and back', async (t) => {
  const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => (bits & 0x7fff) <= 0x7c00);
  t.same(toFloat16(fromFloat16(all)), all);
});

void t.test('what lies between two halves goes to the nearer one, the middle to the even one', async (t) => {
  const [up, down, tieDown, tieUp] = fromFloat16(
    toFloat16(Float32Array.of(1 + 0.6 / 1024, 1 + 0.4 / 1024, 1 + 0.5 / 1024, 1 + 1.5 / 1024)),
  );
  t.same([up, down, tieDown, tieUp], [1 + 1 / 1024, 1, 1, 1 + 2 / 1024]);
});

void t.test('too large becomes infinite, too small nothing, and what is no number stays none', async (t) => {
  const [large, small, none] = fromFloat16(toFloat16(Float32Array.of(65520, 1e-9, NaN)));
  t.equal(large, Infinity);
  t.equal(small, 0);
  t.ok(Number.isNaN(none));
});

void t.test('the values of an embedding lose at most 1 part in 2,048', async (t) => {
  const random = seeded(3);
  const values = Float32Array.from({ length: 2000 }, () => random() - 0.5);
  const back = fromFloat16(toFloat16(values));
  t.ok(values.every((value, i) => Math.abs((back[i] as number) - value) <= Math.max(Math.abs(value), 2 ** -14) / 2048));
});
