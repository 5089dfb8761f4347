import t from 'tap';
import { fuse } from '../../src/scoring/fusion.js';
import { line } from './calibrations.js';
import { near } from './seeded-scores.js';

const at = (voiceLlr: number, phraseLlr: number | null, rightPin = false): number =>
  fuse({ voiceLlr, phraseLlr, rightPin }, line);

void t.test('voice, phrase and PIN are weighed and added, by hand', async (t) => {
  near(t, at(4, 3), 0.9 * 4 + 0.7 * 3 - 3, 1e-12);
  near(t, at(4, 3, true), 0.9 * 4 + 0.7 * 3 - 3 + Math.LN2, 1e-12);
  near(t, at(4, null), 0.9 * 4 - 3, 1e-12);
});

void t.test('beyond what the fit has seen a phrase counts as its ends: words buy so much and no more', async (t) => {
  t.equal(at(1, 5000), at(1, 5));
  t.equal(at(1, Infinity), at(1, 5));
  t.equal(at(1, -Infinity), at(1, -10));
  const best = at(-2, Infinity, true);
  t.ok(best < 0, `a voice that speaks against the caller stays below even odds: ${best}`);
});

void t.test('it rises with each factor', async (t) => {
  for (let llr = -9; llr <= 5; llr += 0.5) {
    t.ok(at(llr, 2) > at(llr - 0.5, 2));
    t.ok(at(2, llr) > at(2, llr - 0.5));
  }
  t.ok(at(1, 1, true) > at(1, 1));
});

void t.test('what is no number stays none', async (t) => {
  t.ok(Number.isNaN(at(NaN, 3)));
  t.ok(Number.isNaN(at(3, NaN)));
  t.equal(at(-Infinity, 3), -Infinity);
});
