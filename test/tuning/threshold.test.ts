import t from 'tap';
import { probit } from '../../src/tuning/normal.js';
import { fitTail, tailFmr, tailThreshold } from '../../src/tuning/tail.js';
import { chooseThreshold, speakerPairs, type SpeakerScore } from '../../src/tuning/threshold.js';
import { near, seeded } from '../scoring/seeded-scores.js';

/** Scores of speakers compared with each other: a trial's nontarget score is drawn by `draw`, its target score is 4 higher. */
function crossed(speakers: number, draw: (random: () => number) => number, seed: number): SpeakerScore[] {
  const random = seeded(seed);
  const names = Array.from({ length: speakers }, (_, at) => `s${at}`);
  return names.flatMap((modelSpeaker) =>
    names.map((testSpeaker) => {
      const isTarget = modelSpeaker === testSpeaker;
      return { modelSpeaker, testSpeaker, isTarget, score: draw(random) + (isTarget ? 4 : 0) };
    }),
  );
}

const normal = (random: () => number): number => probit(random());
const exponential = (random: () => number): number => -Math.log(random());

void t.test('the normal quantile has its published values', async (t) => {
  for (const [share, value] of [
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.001, -3.090232306167813],
    [0.9999, 3.719016485455709],
  ] as const) {
    near(t, probit(share), value, 1e-8);
  }
});

void t.test('the threshold of a supported rate is found within its interval in most samples', async (t) => {
  // Truth for unit normal scores: the 99th percentile, 2.326.
  let held = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const found = chooseThreshold(crossed(40, normal, seed), 0.01, { rounds: 100, seed });
    t.ok(found.supported, 'pairs of 40 speakers');
    const [low, high] = found.empirical.thresholdInterval ?? [NaN, NaN];
    if (low <= 2.3263 && 2.3263 <= high) held++;
    const [least, most] = found.empirical.fnmrInterval ?? [NaN, NaN];
    t.ok(least <= found.empirical.fnmr && found.empirical.fnmr <= most);
  }
  t.ok(held >= 17, `${held} of 20`);
});

void t.test(
  'beyond what the pairs support it says so, and the tail’s estimate holds the truth in most samples',
  async (t) => {
    for (const [name, draw, truth] of [
      ['exponential', exponential, -Math.log(1e-4)],
      ['normal', normal, 3.719],
    ] as const) {
      let held = 0;
      for (let seed = 1; seed <= 20; seed++) {
        const found = chooseThreshold(crossed(40, draw, seed), 1e-4, { rounds: 100, seed });
        t.notOk(found.supported);
        t.equal(found.pairsNeeded, 30_000);
        const [low, high] = found.extreme?.thresholdInterval ?? [NaN, NaN];
        if (low <= truth && truth <= high) held++;
      }
      t.ok(held >= 15, `${name}: ${held} of 20`);
    }
  },
);

void t.test('trials of one pair of speakers count once, whichever of them was enrolled', async (t) => {
  const trial = (modelSpeaker: string, testSpeaker: string): SpeakerScore => ({
    modelSpeaker,
    testSpeaker,
    isTarget: false,
    score: 0,
  });
  t.equal(speakerPairs([trial('a', 'b'), trial('a', 'b'), trial('b', 'a'), trial('a', 'c')]), 2);
  const repeated = crossed(10, normal, 1).flatMap((one) => new Array<SpeakerScore>(50).fill(one));
  const found = chooseThreshold(repeated, 0.01, { rounds: 0 });
  t.equal(found.pairs, 45);
  t.notOk(found.supported, '45 pairs are no 300, though there are 4500 trials');
});

void t.test('at the empirical threshold exactly the wanted share of the nontargets matches', async (t) => {
  const trials = [
    ...Array.from({ length: 100 }, (_, at) => ({ score: at, isTarget: false })),
    ...[95.2, 200].map((score) => ({ score, isTarget: true })),
  ].map((one, at) => ({ ...one, modelSpeaker: `m${at}`, testSpeaker: `t${at}` }));
  const at = (fmr: number): number => chooseThreshold(trials, fmr, { rounds: 0 }).empirical.threshold;
  t.equal(at(0.04), 95.5);
  t.equal(at(0.049), 95.5, 'five of a hundred would be too many');
  t.ok(at(0.001) > 99 && at(0.001) < 99.001, 'above all where none may match');
  t.equal(chooseThreshold(trials, 0.04, { rounds: 0 }).empirical.fnmr, 0.5);
});

void t.test('the tail’s fit finds shape and scale of what it was drawn from', async (t) => {
  for (const shape of [-0.2, 0, 0.3]) {
    const random = seeded(11);
    const scores = Array.from({ length: 20_000 }, () => {
      const u = random();
      return shape === 0 ? -2 * Math.log(u) : (2 / shape) * (u ** -shape - 1);
    });
    const tail = fitTail(scores, 0.5);
    near(t, tail?.shape ?? NaN, shape, 0.04);
    // The exceedances over a level of such scores have the scale σ + ξ u.
    near(t, tail?.scale ?? NaN, 2 + shape * (tail?.level ?? NaN), 0.1);
    if (tail === null) continue;
    const threshold = tailThreshold(tail, 0.001);
    near(t, tailFmr(tail, threshold), 0.001, 1e-9);
    const truth = shape === 0 ? -2 * Math.log(0.001) : (2 / shape) * (0.001 ** -shape - 1);
    near(t, threshold / truth, 1, 0.12);
  }
});

void t.test('weights count a score as often as they say', async (t) => {
  const random = seeded(5);
  const scores = Array.from({ length: 400 }, () => exponential(random));
  const weights = scores.map(() => Math.floor(3 * random()));
  const repeated = scores.flatMap((score, at) => new Array<number>(weights[at] ?? 0).fill(score));
  const [a, b] = [fitTail(scores, 0.2, weights), fitTail(repeated, 0.2)];
  // Where a repeated score straddles the level the two cut it differently by at most one draw.
  near(t, a?.scale ?? NaN, b?.scale ?? NaN, 0.03);
  near(t, a?.shape ?? NaN, b?.shape ?? NaN, 0.05);
});

void t.test('too few or equal scores have no tail, and rates that are none are refused', async (t) => {
  t.equal(fitTail([1, 2, 3], 0.5), null);
  t.equal(fitTail(new Array<number>(100).fill(1), 0.5), null);
  for (const fmr of [0, 0.5, -1, NaN]) t.throws(() => chooseThreshold(crossed(5, normal, 1), fmr), RangeError);
  t.throws(() => chooseThreshold([], 0.01), RangeError);
});
