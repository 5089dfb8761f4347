import t from 'tap';
import type { PhraseVerdict } from '../../src/challenge/phrase.js';
import { decide } from '../../src/decision/decide.js';
import type { Evidence } from '../../src/decision/evidence.js';
import { defaultPolicy as policy } from '../../src/decision/policy.js';
import type { Tier } from '../../src/decision/reasons.js';
import { checked, compared, faultless, fused, measured } from './evidence-grid.js';

const { tiers } = policy;
const hopeless = compared(tiers.rejectBelowLlr - 1);
const unsure = compared((tiers.rejectBelowLlr + tiers.low.minVoiceLlr) / 2);
const notPerformed = { kind: 'not_performed' } as const;
const said = (verdict: PhraseVerdict, status?: 'experimental'): Evidence['phrase'] =>
  checked(verdict, verdict === 'match' ? 20 : -20, status);

/** What is different from a faultless caller, the tier, and the answer with its reasons. */
const table: readonly [title: string, changes: Partial<Evidence>, tier: Tier, answer: string][] = [
  ['a faultless caller, low tier', {}, 'low', 'ACCEPT'],
  ['a faultless caller, standard tier', {}, 'standard', 'ACCEPT'],
  ['a faultless caller, high tier', {}, 'high', 'ACCEPT'],
  ['the ladder is closed', { gate: 'locked', pin: 'wrong' }, 'low', 'REJECT LOCKED'],
  ['the line or key was too fast', { gate: 'velocity' }, 'low', 'REJECT VELOCITY'],
  ['nobody is enrolled', { account: 'not_enrolled', pin: 'wrong' }, 'low', 'STEP_UP NOT_ENROLLED'],
  ['the caller opted out', { account: 'opted_out' }, 'low', 'STEP_UP OPTED_OUT'],
  ['there is no consent', { account: 'consent_missing' }, 'low', 'STEP_UP CONSENT_MISSING'],
  ['the challenge was used', { challenge: 'reused' }, 'low', 'REJECT CHALLENGE_REUSED'],
  ['the challenge is another’s', { challenge: 'mismatch' }, 'low', 'REJECT CHALLENGE_MISMATCH'],
  ['the challenge has expired', { challenge: 'expired' }, 'low', 'CONTINUE CHALLENGE_EXPIRED'],
  ['the PIN is wrong', { pin: 'wrong' }, 'low', 'REJECT PIN_FAILED'],
  [
    'the PIN is wrong on bad audio',
    { pin: 'wrong', quality: measured(0.1), voice: hopeless },
    'low',
    'REJECT PIN_FAILED',
  ],
  [
    'everything is wrong',
    { pin: 'wrong', voice: hopeless, phrase: said('wrong') },
    'low',
    'REJECT PIN_FAILED WRONG_TEXT VOICE_MISMATCH',
  ],
  [
    'the print is of another model',
    { voice: { kind: 'model_mismatch', voiceprintModelId: 'a', modelId: 'b' } },
    'low',
    'INCONCLUSIVE MODEL_MISMATCH',
  ],
  [
    'the print is of another model and the PIN is wrong',
    { pin: 'wrong', voice: { kind: 'model_mismatch', voiceprintModelId: 'a', modelId: 'b' } },
    'low',
    'REJECT PIN_FAILED',
  ],
  ['too little was said', { quality: measured(0.1) }, 'low', 'CONTINUE NOT_ENOUGH_SPEECH'],
  ['nothing was measured', { quality: { kind: 'not_measured' } }, 'low', 'CONTINUE NOT_ENOUGH_SPEECH'],
  ['the voice could not be compared', { voice: { kind: 'not_compared' } }, 'low', 'CONTINUE NOT_ENOUGH_SPEECH'],
  ['the line is noisy', { quality: measured(3, { snrDb: -9 }) }, 'low', 'CONTINUE LOW_QUALITY'],
  ['the recording has no pause to measure noise in', { quality: measured(3, { snrDb: null }) }, 'low', 'ACCEPT'],
  ['the recording is clipped', { quality: measured(3, { clippingShare: 0.9 }) }, 'low', 'CONTINUE LOW_QUALITY'],
  ['the level is no number', { quality: measured(3, { speechLevelDbfs: NaN }) }, 'low', 'CONTINUE LOW_QUALITY'],
  [
    'bad audio speaks against nobody',
    { quality: measured(3, { snrDb: -9 }), voice: hopeless },
    'low',
    'CONTINUE LOW_QUALITY',
  ],
  ['other words', { phrase: said('wrong') }, 'low', 'REJECT WRONG_TEXT'],
  ['nearly the right words', { phrase: said('near_miss') }, 'low', 'CONTINUE WRONG_TEXT'],
  ['no words', { phrase: said('silence') }, 'low', 'CONTINUE NOT_ENOUGH_SPEECH'],
  ['other words in an experimental language', { phrase: said('wrong', 'experimental') }, 'low', 'ACCEPT'],
  ['nearly the right words in one', { phrase: said('near_miss', 'experimental') }, 'low', 'ACCEPT'],
  ['no words in one', { phrase: said('silence', 'experimental') }, 'low', 'ACCEPT'],
  [
    'right words in one, standard tier',
    { phrase: said('match', 'experimental') },
    'standard',
    'STEP_UP PHRASE_NOT_CHECKED',
  ],
  [
    'right words in one, no PIN',
    { phrase: said('match', 'experimental'), pin: 'missing' },
    'low',
    'STEP_UP PIN_MISSING PHRASE_NOT_CHECKED',
  ],
  ['another voice', { voice: hopeless }, 'low', 'REJECT VOICE_MISMATCH'],
  ['a doubtful voice', { voice: unsure }, 'low', 'CONTINUE VOICE_UNSURE'],
  ['low with PIN, phrase not checked', { phrase: notPerformed }, 'low', 'ACCEPT'],
  ['low with phrase, no PIN', { pin: 'missing' }, 'low', 'ACCEPT'],
  ['low with neither', { pin: 'missing', phrase: notPerformed }, 'low', 'STEP_UP PIN_MISSING PHRASE_NOT_CHECKED'],
  [
    'low, PIN sent but none set',
    { pin: 'not_set', phrase: notPerformed },
    'low',
    'STEP_UP PIN_MISSING PHRASE_NOT_CHECKED',
  ],
  ['standard, phrase not checked', { phrase: notPerformed }, 'standard', 'STEP_UP PHRASE_NOT_CHECKED'],
  ['standard, no PIN', { pin: 'missing' }, 'standard', 'STEP_UP PIN_MISSING'],
  ['high, phrase not checked', { phrase: notPerformed }, 'high', 'STEP_UP PHRASE_NOT_CHECKED VOICE_UNSURE'],
  ['high, a print of this morning', { voice: compared(30, 2) }, 'high', 'STEP_UP NEW_VOICEPRINT'],
  ['standard, a first print of this morning', { voice: compared(30, 2) }, 'standard', 'ACCEPT'],
  ['standard, a print replaced this morning', { voice: compared(30, 2, true) }, 'standard', 'STEP_UP NEW_VOICEPRINT'],
  ['low, a print replaced this morning', { voice: compared(30, 2, true) }, 'low', 'ACCEPT'],
  [
    'no further phrase is asked for where it could not help',
    { voice: unsure, phrase: notPerformed },
    'standard',
    'STEP_UP PHRASE_NOT_CHECKED VOICE_UNSURE',
  ],
  [
    'high, the words do not make up for a doubtful voice',
    { voice: compared(tiers.standard.minVoiceLlr), phrase: checked('match', 50) },
    'high',
    'CONTINUE VOICE_UNSURE',
  ],
];

for (const [title, changes, tier, answer] of table) {
  void t.test(`${title}: ${answer}`, async (t) => {
    const decision = decide(fused({ ...faultless, ...changes }), policy, tier);
    t.equal([decision.kind, ...decision.reasons].join(' '), answer);
  });
}

void t.test('an experimental language counts where the policy trusts it', async (t) => {
  const trusting = { ...policy, challenge: { ...policy.challenge, trustedExperimentalLanguages: ['zh' as const] } };
  const answer = (verdict: PhraseVerdict): string => {
    const { kind, reasons } = decide({ ...faultless, phrase: said(verdict, 'experimental') }, trusting, 'standard');
    return [kind, ...reasons].join(' ');
  };
  t.equal(answer('match'), 'ACCEPT');
  t.equal(answer('wrong'), 'REJECT WRONG_TEXT');
  t.equal(answer('near_miss'), 'CONTINUE WRONG_TEXT');
  t.equal(answer('silence'), 'CONTINUE NOT_ENOUGH_SPEECH');
});

void t.test('after three CONTINUE answers the same finding is STEP_UP, with the same reason', async (t) => {
  for (const changes of [
    { challenge: 'expired' },
    { voice: unsure },
    { quality: measured(0.1) },
    { phrase: said('near_miss') },
  ] as const) {
    const asked = decide({ ...faultless, ...changes, call: { continuesGiven: 2 } }, policy, 'low');
    const ended = decide({ ...faultless, ...changes, call: { continuesGiven: 3 } }, policy, 'low');
    t.equal(asked.kind, 'CONTINUE');
    t.same(ended, { kind: 'STEP_UP', reasons: asked.reasons });
  }
});

void t.test('each tier accepts from its own threshold on, and not below', async (t) => {
  const kindAt = (llr: number, tier: Tier): string =>
    decide(fused({ ...faultless, voice: compared(llr) }), policy, tier).kind;
  t.equal(kindAt(tiers.low.minVoiceLlr, 'low'), 'ACCEPT');
  t.equal(kindAt(tiers.low.minVoiceLlr - 1e-9, 'low'), 'CONTINUE');
  t.equal(kindAt(tiers.standard.minVoiceLlr, 'standard'), 'ACCEPT');
  t.equal(kindAt(tiers.standard.minVoiceLlr - 1e-9, 'standard'), 'CONTINUE');
  t.equal(kindAt(tiers.rejectBelowLlr, 'low'), 'CONTINUE');
  t.equal(kindAt(tiers.rejectBelowLlr - 1e-9, 'low'), 'REJECT');
});
