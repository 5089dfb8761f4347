import t from 'tap';
import {
  crossValidate,
  fitVoice,
  llrsOf,
  nontargetMoments,
  type HeldMeasure,
  type ScoredGroup,
} from '../../src/scoring/fit-voice.js';
import { near, normalScores, seeded } from './seeded-scores.js';

const seconds: HeldMeasure = { name: 'ln-test-seconds', least: 0, most: Math.log(8) };

/** A group of unit normal scores, targets 3 above nontargets; `lift` is added for each nat of the test's seconds. */
function group(source: string, count: number, lift: number, seed: number, speakers = 20): ScoredGroup {
  const { targets, nontargets } = normalScores(count, 3, seed);
  const random = seeded(seed + 1);
  const trialOf = (isTarget: boolean) => (score: number, i: number) => {
    const netSpeechSeconds = Math.exp(random() * Math.log(8));
    const speaker = i % speakers;
    return {
      modelSpeaker: `${source} ${speaker}`,
      testSpeaker: `${source} ${isTarget ? speaker : (speaker + 5) % speakers}`,
      isTarget,
      score: score + lift * Math.log(netSpeechSeconds),
      speech: { enrolment: { netSpeechSeconds: 9 }, test: { netSpeechSeconds, snrDb: null } },
    };
  };
  return { source, condition: 'plain', trials: [...targets.map(trialOf(true)), ...nontargets.map(trialOf(false))] };
}

void t.test('the line that made the scores is found: scale, offset and the weight of a measure', async (t) => {
  // llr = 3 (score − lift · ln seconds) − 4.5.
  const voice = fitVoice([group('a', 20_000, 0.8, 11)], [seconds]);
  near(t, voice.scale, 3, 0.15);
  near(t, voice.offset, -4.5, 0.3);
  near(t, voice.measures[0]?.weight ?? NaN, -3 * 0.8, 0.15);
  t.match(voice.measures[0], seconds, 'with the range that it is held within');
});

void t.test('cross-validation tells a measure that helps from one that does not', async (t) => {
  const groups = [group('a', 4000, 0.8, 21), group('b', 1000, 0.8, 22)];
  const without = crossValidate(groups, []);
  const helped = crossValidate(groups, [seconds]);
  t.ok(helped.cllr < without.cllr - 0.02, `${helped.cllr} against ${without.cllr}`);
  t.ok(helped.eer < without.eer);
  t.ok(helped.minCllr <= helped.cllr);
  const idle = crossValidate(groups, [seconds, { name: 'test-snr-db', least: 0, most: 30 }]);
  near(t, idle.cllr, helped.cllr, 0.002);
});

void t.test(
  'no speaker is on both sides of a fold: a score that only names its speaker is worth nothing',
  async (t) => {
    const random = seeded(5);
    const tells = Array.from({ length: 40 }, () => random());
    const trials = tells.flatMap((tell, speaker) =>
      Array.from({ length: 20 }, (_, i) => ({
        modelSpeaker: `s${speaker}`,
        // Some speakers have targets only, some nontargets only, and the score gives the speaker away.
        testSpeaker: tell > 0.5 ? `s${speaker}` : `s${(speaker + 5 * (i + 1)) % 40}`,
        isTarget: tell > 0.5,
        score: random(),
        speech: { enrolment: { netSpeechSeconds: 9 }, test: { netSpeechSeconds: 1 + speaker, snrDb: null } },
      })),
    );
    const { cllr, folds } = crossValidate([{ source: 'a', condition: 'plain', trials }], []);
    t.equal(folds, 5);
    t.ok(cllr > 0.97 && cllr < 1.1, `Cllr ${cllr}`);
  },
);

void t.test('moments of different speakers count every group the same', async (t) => {
  const one = group('a', 5000, 0, 31);
  const shifted = group('b', 50, 0, 32);
  const higher = { ...shifted, trials: shifted.trials.map((trial) => ({ ...trial, score: trial.score + 10 })) };
  const voice = { scale: 1, offset: 0, measures: [] };
  const { meanLlr, sdLlr } = nontargetMoments([one, higher], voice);
  near(t, meanLlr, 5, 0.2);
  near(t, sdLlr, Math.sqrt(25 + 1), 0.2);
  t.equal(llrsOf(higher.trials, () => voice).nontargets.length, 50);
});

void t.test('a group without targets is refused', async (t) => {
  const { trials, ...rest } = group('a', 100, 0, 41);
  t.throws(() => fitVoice([{ ...rest, trials: trials.filter(({ isTarget }) => !isTarget) }], []), RangeError);
});
