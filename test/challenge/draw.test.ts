import t from 'tap';
import { adjacentPairs, drawDigits, enrolmentPrompts, isTrivial } from '../../src/challenge/draw.js';

const sharedPairs = (digits: string, previous: readonly string[]): number => {
  const heard = new Set(previous.flatMap(adjacentPairs));
  return adjacentPairs(digits).filter((pair) => heard.has(pair)).length;
};

void t.test('digits of the length asked for, from 6 to 10', async (t) => {
  for (let count = 6; count <= 10; count++)
    t.match(drawDigits({ count, previous: [] }), new RegExp(`^[0-9]{${count}}$`));
});

void t.test('no digit pair of the last five prompts comes again, over a thousand prompts in a row', async (t) => {
  for (const count of [6, 8, 10]) {
    let previous: string[] = [];
    let shared = 0;
    for (let i = 0; i < 1000; i++) {
      const digits = drawDigits({ count, previous });
      shared += sharedPairs(digits, previous);
      previous = [digits, ...previous].slice(0, 5);
    }
    t.equal(shared, 0, `${count} digits`);
  }
});

void t.test('where no unheard way is left it repeats as few pairs as can be', async (t) => {
  // Every pair was heard but 01, 12 and 23: 0123 0123 repeats one pair (30), and no way of eight digits repeats none.
  const unheard = ['01', '12', '23'];
  const all = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
  const previous = all.filter((pair) => !unheard.includes(pair));
  for (let i = 0; i < 50; i++) t.equal(sharedPairs(drawDigits({ count: 8, previous }), previous), 1);
});

void t.test('earlier prompts that leave only trivial strings are let go', async (t) => {
  const all = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
  const digits = drawDigits({ count: 8, previous: all.filter((pair) => pair !== '77') });
  t.notOk(isTrivial(digits));
});

void t.test('every digit is as likely as any other at every place', async (t) => {
  // 20,000 strings: 2,000 of each digit expected at a place, standard deviation 42.
  const counts = Array.from({ length: 8 }, () => new Array<number>(10).fill(0));
  for (let i = 0; i < 20_000; i++) {
    [...drawDigits({ count: 8, previous: [] })].forEach((digit, place) => {
      const row = counts[place] ?? [];
      row[Number(digit)] = (row[Number(digit)] ?? 0) + 1;
    });
  }
  t.ok(
    counts.flat().every((count) => Math.abs(count - 2000) < 6 * 42),
    counts.join(' | '),
  );
});

void t.test('all allowed strings are drawn alike: a small case counted whole', async (t) => {
  // Only 0→1, 0→2, 1→0, 2→0 … pairs of {0,1,2} unheard: the strings of three digits without a heard pair are counted.
  const open = ['01', '02', '10', '12', '20', '31'];
  const all = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
  const previous = all.filter((pair) => !open.includes(pair));
  const wanted = open.flatMap((a) => open.filter((b) => a[1] === b[0]).map((b) => a + (b[1] ?? '')));
  const able = wanted.filter((digits) => !isTrivial(digits));
  const counts = new Map<string, number>();
  const draws = 1000 * able.length;
  for (let i = 0; i < draws; i++) {
    const digits = drawDigits({ count: 3, previous });
    counts.set(digits, (counts.get(digits) ?? 0) + 1);
  }
  t.same([...counts.keys()].sort(), able.sort());
  t.ok(
    [...counts.values()].every((count) => Math.abs(count - 1000) < 6 * 32),
    [...counts].join(' '),
  );
});

void t.test('trivial strings are known as such and never drawn', async (t) => {
  for (const digits of ['00000000', '12345678', '89012345', '87654321', '12121212', '13579135', '11122211']) {
    t.ok(isTrivial(digits), digits);
  }
  for (const digits of ['38502194', '11223344', '12345679']) t.notOk(isTrivial(digits), digits);
  for (let i = 0; i < 2000; i++) if (isTrivial(drawDigits({ count: 6, previous: [] }))) t.fail('drew a trivial string');
});

void t.test('enrolment prompts hold all ten digits together, evenly', async (t) => {
  for (const [count, digits] of [
    [3, 8],
    [2, 5],
    [3, 4],
    [6, 8],
    [2, 10],
  ] as const) {
    for (let i = 0; i < 50; i++) {
      const prompts = enrolmentPrompts({ count, digits });
      t.equal(prompts.length, count);
      t.ok(prompts.every((prompt) => prompt.length === digits && !isTrivial(prompt)));
      const times = [...'0123456789'].map((digit) => prompts.join('').split(digit).length - 1);
      t.ok(Math.min(...times) >= 1 && Math.max(...times) - Math.min(...times) <= 1, prompts.join(' '));
    }
  }
});

void t.test('enrolment prompts that cannot hold all ten digits are refused', async (t) => {
  t.throws(() => enrolmentPrompts({ count: 2, digits: 4 }), RangeError);
});

void t.test('the random source is asked for whole numbers below a bound and nothing else decides', async (t) => {
  const script = (): ((below: number) => number) => {
    let state = 5;
    return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
  };
  const draw = (): string => drawDigits({ count: 8, previous: ['12345098'], random: script() });
  t.equal(draw(), draw());
});
