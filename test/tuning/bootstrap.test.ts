import t from 'tap';
import { bootstrap, groupNumbers } from '../../src/tuning/bootstrap.js';
import { wilsonInterval } from '../../src/tuning/proportion.js';
import { near, seeded } from '../scoring/seeded-scores.js';

/** Share of 1 among values that come in groups of ten equal ones, and its interval over groups. */
function shareInterval(share: number, groupCount: number, seed: number): readonly [number, number] {
  const random = seeded(seed);
  const groups = Array.from({ length: groupCount }, () => (random() < share ? 1 : 0));
  const values = groups.flatMap((value) => new Array<number>(10).fill(value));
  const { numbers, count } = groupNumbers(values.map((_, at) => String(Math.floor(at / 10))));
  const found = bootstrap(
    { first: numbers[0] ?? [], count },
    (weights) => {
      const sum = weights.reduce((total, weight) => total + weight, 0);
      return { share: values.reduce((total, value, at) => total + value * (weights[at] ?? 0), 0) / sum };
    },
    { rounds: 400, seed },
  );
  return found?.share ?? [NaN, NaN];
}

void t.test(
  'the interval holds the true share in about 95 of 100 samples, though trials of a group are alike',
  async (t) => {
    let held = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const [low, high] = shareInterval(0.3, 60, seed);
      if (low <= 0.3 && 0.3 <= high) held++;
    }
    t.ok(held >= 180 && held <= 199, `${held} of 200`);
  },
);

void t.test('the same seed draws the same interval, another one nearly the same', async (t) => {
  t.same(shareInterval(0.3, 60, 5), shareInterval(0.3, 60, 5));
});

void t.test(
  'a trial of two speakers counts as often as both were drawn together, one of a single speaker once a draw',
  async (t) => {
    const { numbers, count } = groupNumbers(['a', 'b', 'a'], ['a', 'b', 'b']);
    t.equal(count, 2);
    const seen = new Set<string>();
    bootstrap(
      { first: numbers[0] ?? [], second: numbers[1] ?? [], count },
      (weights) => {
        seen.add(weights.join(' '));
        return { one: 1 };
      },
      { rounds: 50, seed: 1 },
    );
    t.same([...seen].sort(), ['0 2 0', '1 1 1', '2 0 0']);
  },
);

void t.test('without enough draws that have a value there is no interval', async (t) => {
  const groups = { first: [0, 1], count: 2 };
  t.equal(
    bootstrap(groups, () => null, { rounds: 10, seed: 1 }),
    null,
  );
});

void t.test('Wilson’s interval has the published values and stays within 0 and 1', async (t) => {
  // 10 of 100: Brown, Cai and DasGupta's formula worked by hand to four places.
  const [low, high] = wilsonInterval(10, 100);
  near(t, low, 0.0552, 5e-5);
  near(t, high, 0.1744, 5e-5);
  t.equal(wilsonInterval(0, 50)[0], 0);
  near(t, wilsonInterval(0, 50)[1], 0.0713, 5e-5);
  t.equal(wilsonInterval(50, 50)[1], 1);
  t.same(wilsonInterval(0, 0), [0, 1]);
});
