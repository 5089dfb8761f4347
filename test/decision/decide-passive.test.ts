import t from 'tap';
import { decide } from '../../src/decision/decide.js';
import { isCountedFailure } from '../../src/decision/attempts.js';
import type { Evidence } from '../../src/decision/evidence.js';
import { defaultPolicy, type PolicyDocument } from '../../src/decision/policy.js';
import { tiers, type Tier } from '../../src/decision/reasons.js';
import { passiveBounds } from '../../src/decision/sequential.js';
import { compared, faultless, llrs, measured } from './evidence-grid.js';

const speech: Evidence = { ...faultless, challenge: 'not_required', phrase: { kind: 'not_performed' } };
const identified = { continuesGiven: 0, identifiedByAgent: true };
const said = (changes: Partial<Evidence>, tier: Tier, policy: PolicyDocument = defaultPolicy) => {
  const { kind, reasons } = decide({ ...speech, ...changes }, policy, tier);
  return [kind, ...reasons].join(' ');
};
const voiceAlone = { ...defaultPolicy, passive: { ...defaultPolicy.passive, voiceAloneOpensLow: true } };

void t.test(
  'Free speech opens a tier with the PIN or an agent who knows the caller, the high one with both',
  async (t) => {
    const missing = { pin: 'missing' as const };
    for (const tier of ['low', 'standard'] as const) {
      t.equal(said({}, tier), 'ACCEPT');
      t.equal(said({ ...missing, call: identified }, tier), 'ACCEPT');
      t.equal(said(missing, tier), 'STEP_UP PIN_MISSING NOT_IDENTIFIED');
    }
    t.equal(said({ call: identified }, 'high'), 'ACCEPT');
    t.equal(said({}, 'high'), 'STEP_UP NOT_IDENTIFIED');
    t.equal(said({ ...missing, call: identified }, 'high'), 'STEP_UP PIN_MISSING');
  },
);

void t.test('On the voice alone only the low tier opens, and only where the policy says so', async (t) => {
  t.equal(said({ pin: 'missing' }, 'low', voiceAlone), 'ACCEPT');
  for (const policy of [defaultPolicy, voiceAlone]) {
    for (const tier of policy === voiceAlone ? (['standard', 'high'] as const) : tiers) {
      for (const llr of llrs) t.not(said({ pin: 'missing', voice: compared(llr) }, tier, policy), 'ACCEPT');
    }
  }
});

void t.test('It is as sure as Wald’s bounds, else INCONCLUSIVE and counted against nobody', async (t) => {
  for (const tier of tiers) {
    const { acceptAtLlr, rejectBelowLlr } = passiveBounds(defaultPolicy, tier);
    const at = (llr: number) => said({ call: identified, voice: compared(llr) }, tier);
    t.equal(at(acceptAtLlr), 'ACCEPT');
    t.equal(at(acceptAtLlr - 0.01), 'INCONCLUSIVE VOICE_UNSURE');
    t.equal(at(rejectBelowLlr), 'INCONCLUSIVE VOICE_UNSURE');
    t.equal(at(rejectBelowLlr - 0.01), 'REJECT VOICE_MISMATCH');
    t.equal(at(NaN), 'INCONCLUSIVE VOICE_UNSURE');
  }
  t.notOk(isCountedFailure(decide({ ...speech, voice: compared(0) }, defaultPolicy, 'low')));
});

void t.test('Nobody is asked for a phrase: what cannot be judged is INCONCLUSIVE', async (t) => {
  t.equal(said({ quality: measured(0.2) }, 'low'), 'INCONCLUSIVE NOT_ENOUGH_SPEECH');
  t.equal(said({ quality: measured(9, { snrDb: -5 }) }, 'low'), 'INCONCLUSIVE LOW_QUALITY');
  t.equal(said({ quality: measured(9, { minWindowCosine: -0.5 }) }, 'low'), 'INCONCLUSIVE MULTIPLE_SPEAKERS');
});

void t.test('A wrong PIN is refused whatever the voice, and a closed door stays closed', async (t) => {
  t.equal(said({ pin: 'wrong', call: identified }, 'low'), 'REJECT PIN_FAILED');
  t.equal(said({ gate: 'locked', call: identified }, 'low'), 'REJECT LOCKED');
  t.equal(said({ account: 'consent_missing', call: identified }, 'low'), 'STEP_UP CONSENT_MISSING');
});

void t.test('A policy that does not allow free speech asks for a phrase', async (t) => {
  const off = { ...defaultPolicy, passive: { ...defaultPolicy.passive, enabled: false } };
  for (const tier of tiers) t.equal(said({ call: identified }, tier, off), 'STEP_UP PHRASE_NOT_CHECKED');
});

void t.test('Who answers a challenge gains nothing by an agent’s word', async (t) => {
  t.equal(decide({ ...faultless, pin: 'missing', call: identified }, defaultPolicy, 'standard').kind, 'STEP_UP');
});
