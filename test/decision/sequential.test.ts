import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { defaultPolicy } from '../../src/decision/policy.js';
import { tiers } from '../../src/decision/reasons.js';
import { nextStep, passiveBounds, waldBounds, type SequentialLook } from '../../src/decision/sequential.js';

const look = (llr: number | null, changes: Partial<SequentialLook> = {}): SequentialLook => ({
  llr,
  netSpeechSeconds: 10,
  totalSeconds: 20,
  usable: true,
  ...changes,
});

void t.test('Wald’s bounds', async (t) => {
  const { acceptAtLlr, rejectBelowLlr } = waldBounds(0.01, 0.05);
  t.ok(Math.abs(acceptAtLlr - Math.log(95)) < 1e-12);
  t.ok(Math.abs(rejectBelowLlr - Math.log(0.05 / 0.99)) < 1e-12);
});

/** Shares of random walks of a calibrated LLR that are accepted or rejected before they end. */
function walk(isTarget: boolean, rounds: number, seed: number) {
  const random = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const policy = {
    ...defaultPolicy,
    passive: { ...defaultPolicy.passive, targetFmr: { low: 0.02, standard: 0.01, high: 0.005 }, targetFnmr: 0.05 },
  };
  let [accepted, rejected, looks] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    // Gaussian LLRs are calibrated when their variance is twice the distance of their mean from zero.
    const mean = 0.4 + random();
    let llr = 0;
    for (let at = 1; at <= 400; at++) {
      looks++;
      llr += (isTarget ? mean : -mean) + Math.sqrt(2 * mean) * normal();
      const step = nextStep(look(llr, { netSpeechSeconds: 1, totalSeconds: 1 }), policy, 'low');
      if (step === 'go_on') continue;
      if (step === 'accept') accepted++;
      if (step === 'reject') rejected++;
      break;
    }
  }
  return { accepted: accepted / rounds, rejected: rejected / rounds, looks: looks / rounds };
}

void t.test('However often one looks, walks of a calibrated LLR hold the error targets', async (t) => {
  const others = walk(false, 20_000, 1);
  const own = walk(true, 20_000, 2);
  t.ok(others.accepted <= 0.02 / 0.95, `other speakers accepted: ${others.accepted} of at most ${0.02 / 0.95}`);
  t.ok(others.accepted > 0.001, 'some are: the bound is not idle');
  t.ok(own.rejected <= 0.05 / 0.98, `enrolled speakers rejected: ${own.rejected} of at most ${0.05 / 0.98}`);
  t.ok(own.rejected > 0.001);
  t.ok(own.accepted > 0.9 && others.rejected > 0.9, 'nearly all walks are decided');
  t.ok(own.looks < 15 && others.looks < 15, 'after a few looks');
});

void t.test('The bounds are never looser than what a tier asks of an answer to a challenge', async (t) => {
  const lax = {
    ...defaultPolicy,
    passive: { ...defaultPolicy.passive, targetFmr: { low: 0.2, standard: 0.2, high: 0.2 }, targetFnmr: 0.4 },
  };
  const { low, standard, high, rejectBelowLlr } = defaultPolicy.tiers;
  t.same(
    tiers.map((tier) => passiveBounds(lax, tier)),
    [low.minVoiceLlr, standard.minVoiceLlr, high.minFusedLlr].map((acceptAtLlr) => ({ acceptAtLlr, rejectBelowLlr })),
  );
});

void t.test('It is stopped when sure, or when as much was heard as the policy allows', async (t) => {
  const step = (llr: number | null, changes: Partial<SequentialLook> = {}) =>
    nextStep(look(llr, changes), defaultPolicy, 'low');
  t.equal(step(30), 'accept');
  t.equal(step(-30), 'reject');
  t.equal(step(0), 'go_on');
  t.equal(step(0, { netSpeechSeconds: 40 }), 'stop');
  t.equal(step(0, { totalSeconds: 180 }), 'stop');
  t.equal(step(NaN), 'go_on');
  t.equal(step(null), 'go_on');
  t.equal(step(30, { usable: false }), 'go_on', 'bad audio is never sure');
});
