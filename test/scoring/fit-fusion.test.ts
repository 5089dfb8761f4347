import t from 'tap';
import {
  attackNames,
  fitFusion,
  fusionCllr,
  lineOf,
  pairFactors,
  passedAtFnmr,
  type Judge,
} from '../../src/scoring/fit-fusion.js';
import { near, normalScores } from './seeded-scores.js';

/** Calibrated LLRs of scores `distance` apart: llr = d·x − d²/2. */
function calibrated(count: number, distance: number, seed: number): { right: number[]; wrong: number[] } {
  const { targets, nontargets } = normalScores(count, distance, seed);
  const llr = (x: number): number => distance * x - distance ** 2 / 2;
  return { right: targets.map(llr), wrong: nontargets.map(llr) };
}

const held = { leastPhraseLlr: -10, mostPhraseLlr: 8, rightPinLlr: 0.5 };
const trials = pairFactors(calibrated(4000, 3, 1), calibrated(3000, 3.5, 2));

void t.test('attempts are paired by who speaks and what is said', async (t) => {
  const { genuine, attacks } = pairFactors({ right: [1, 2, 3], wrong: [-1] }, { right: [10], wrong: [-10, -20] });
  t.same(genuine, [
    [1, 10],
    [2, 10],
    [3, 10],
  ]);
  t.same(attacks['stranger, right words'], [[-1, 10]]);
  t.same(attacks['stranger, other words'], [
    [-1, -10],
    [-1, -20],
  ]);
  t.same(attacks['recording of the caller'], [
    [1, -10],
    [2, -20],
    [3, -10],
  ]);
});

void t.test('both factors get weight, and the given numbers are handed on', async (t) => {
  const line = fitFusion(trials, held);
  t.match(line, held);
  t.ok(line.voice > 0.3 && line.voice < 1.2, `voice ${line.voice}`);
  t.ok(line.phrase > 0.3 && line.phrase < 1.2, `phrase ${line.phrase}`);
  t.ok(line.offset < 0, 'most of what one factor alone cannot tell is taken off');
});

void t.test('no neighbouring line costs less', async (t) => {
  const line = fitFusion(trials, held);
  const least = fusionCllr(trials, lineOf(line));
  for (const change of [{ voice: 0.05 }, { phrase: 0.05 }, { offset: 0.1 }]) {
    for (const sign of [1, -1]) {
      const moved = { ...line };
      for (const [name, step] of Object.entries(change)) moved[name as 'voice'] += sign * step;
      t.ok(fusionCllr(trials, lineOf(moved)) > least);
    }
  }
});

void t.test(
  'the line costs less than either factor alone, and lets less of the attacks pass that this one is blind to',
  async (t) => {
    const line = lineOf(fitFusion(trials, held));
    const voice: Judge = ([llr]) => llr;
    const phrase: Judge = ([, llr]) => llr;
    t.ok(fusionCllr(trials, line) < fusionCllr(trials, voice));
    t.ok(fusionCllr(trials, line) < fusionCllr(trials, phrase));
    const fused = passedAtFnmr(trials, line, 0.05);
    t.ok(fused['recording of the caller'] < passedAtFnmr(trials, voice, 0.05)['recording of the caller'] / 2);
    t.ok(fused['stranger, right words'] < passedAtFnmr(trials, phrase, 0.05)['stranger, right words'] / 2);
  },
);

void t.test('a phrase that says nothing gets no weight', async (t) => {
  const idle = pairFactors(calibrated(4000, 3, 1), calibrated(3000, 0.01, 2));
  const { phrase } = fitFusion(idle, held);
  const effect = phrase * 0.04;
  near(t, effect, 0, 0.2);
});

void t.test('rates at an FNMR are counted: a judge that sees nothing lets as much pass as it keeps out', async (t) => {
  const blind = passedAtFnmr(trials, ([voice]) => -Math.abs((voice * 1e4) % 1), 0.1);
  for (const name of attackNames) near(t, blind[name], 0.9, 0.05);
});
