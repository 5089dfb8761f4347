import t from 'tap';
import { defaultPolicy, type PolicyDocument } from '../../src/decision/policy.js';
import { withdrawConsent } from '../../src/service/consents.js';
import { addUtterance, startEnrolment } from '../../src/service/enrolments.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import type { VerificationAnswer } from '../../src/service/judge.js';
import { attempt, consented, enrolled, noProof, openHarness, recording, type Recording } from './harness.js';
import { putAccount } from '../../src/service/accounts.js';

t.setTimeout(170_000);
const harness = await openHarness(t);
const { context, ears, full, opaque } = harness;
const accountId = 'caller';
await enrolled(harness, accountId, 1);
const voice: Recording = { voice: 1, blur: 0.1 };
/** Its digits and those of a prompt never agree in more than a few places. */
const otherDigits = '00000000';

const said = ({ verification }: VerificationAnswer): string =>
  [verification.decision.kind, ...verification.decision.reasons].join(' ');

/** Runs with the recogniser's languages as supported, and puts them back. */
function supported(t: { teardown: (end: () => void) => void }): void {
  ears.languageStatus = 'supported';
  t.teardown(() => (ears.languageStatus = 'experimental'));
}

async function judgeBy(document: unknown): Promise<void> {
  await activatePolicy(context, full, (await storePolicy(context, full, document)).version);
}

void t.test('in a supported language the right digits open the standard tier', async (t) => {
  supported(t);
  const answer = await attempt(harness, accountId, voice, { tier: 'standard' });
  t.equal(said(answer), 'ACCEPT');
  t.match(answer.verification.evidence.phrase, {
    kind: 'checked',
    language: 'zh',
    status: 'supported',
    verdict: 'match',
    differences: 0,
    recogniserId: 'test-digits',
  });
});

void t.test('other digits are WRONG_TEXT, counted, with how many differ as evidence', async (t) => {
  supported(t);
  const answer = await attempt(harness, accountId, { ...voice, says: otherDigits });
  t.equal(said(answer), 'REJECT WRONG_TEXT');
  const { phrase } = answer.verification.evidence;
  t.match(phrase, { verdict: 'wrong' });
  t.ok(phrase.kind === 'checked' && phrase.differences >= 4 && phrase.llr < 0);
  const attempts = await context.store.transaction('operator', (tx) => tx.attempts.get(accountId));
  t.equal(attempts.failures, 1);
  t.equal(said(await attempt(harness, accountId, voice)), 'ACCEPT', 'and the next right answer clears it');
});

void t.test('speech without digits asks for one more phrase', async (t) => {
  supported(t);
  t.equal(said(await attempt(harness, accountId, { ...voice, says: '' })), 'CONTINUE NOT_ENOUGH_SPEECH');
});

void t.test('in an experimental language the verdict is recorded and counts neither way', async (t) => {
  const wrong = await attempt(harness, accountId, { ...voice, says: otherDigits });
  t.equal(said(wrong), 'ACCEPT');
  t.match(wrong.verification.evidence.phrase, { status: 'experimental', verdict: 'wrong' });
  const right = await attempt(harness, accountId, voice, { tier: 'standard' });
  t.equal(said(right), 'STEP_UP PHRASE_NOT_CHECKED');
  t.match(right.verification.evidence.phrase, { status: 'experimental', verdict: 'match' });
});

void t.test('a policy may trust an experimental language', async (t) => {
  const challenge = { ...defaultPolicy.challenge, trustedExperimentalLanguages: ['zh'] };
  await judgeBy({ ...defaultPolicy, challenge });
  t.teardown(() => judgeBy(defaultPolicy));
  t.equal(said(await attempt(harness, accountId, voice, { tier: 'standard' })), 'ACCEPT');
  t.equal(said(await attempt(harness, accountId, { ...voice, says: otherDigits })), 'REJECT WRONG_TEXT');
});

void t.test('a policy stored by an earlier release still judges, with the default of what came later', async (t) => {
  const { trustedExperimentalLanguages, ...challenge } = defaultPolicy.challenge;
  t.ok(trustedExperimentalLanguages);
  const older = { ...defaultPolicy, name: 'older', challenge } as unknown as PolicyDocument;
  const { version } = await context.store.transaction('operator', (tx) => tx.policies.insert(older, new Date(), 'old'));
  await activatePolicy(context, full, version);
  t.teardown(() => judgeBy(defaultPolicy));
  t.equal(said(await attempt(harness, accountId, { ...voice, says: otherDigits })), 'ACCEPT');
  const stored = await context.store.transaction('operator', (tx) => tx.policies.get(version));
  t.same(stored?.document.challenge, defaultPolicy.challenge);
});

void t.test('the recogniser hears nobody without consent, and nobody whose door is closed', async (t) => {
  const noConsent = 'no-consent';
  await enrolled(harness, noConsent, 2);
  await withdrawConsent(context, full, noConsent);
  ears.digitsFrom.length = 0;
  for (const [id, caller] of [
    [noConsent, full],
    [noConsent, opaque],
    ['nobody', opaque],
  ] as const) {
    const { verification } = await attempt(harness, id, { voice: 2 }, {}, caller);
    t.same(verification.evidence.phrase, { kind: 'not_performed' }, 'and nothing is recorded of it');
  }
  t.same(ears.digitsFrom, ['decoy', 'decoy', 'decoy'], 'but as many runs are made');
});

void t.test(
  'a decoy is answered as if digits had been said: never accepted, in a supported language too',
  async (t) => {
    supported(t);
    const kinds = new Set<string>();
    for (let id = 0; id < 20; id++) {
      const { verification } = await attempt(harness, `decoy-${id}`, voice, { pin: null, tier: 'standard' }, opaque);
      kinds.add(verification.decision.kind);
      t.same(verification.evidence.phrase, { kind: 'not_performed' });
    }
    t.notOk(kinds.has('ACCEPT'));
    t.ok(kinds.has('REJECT'));
  },
);

void t.test('digits spoken are in no record and in no audit entry', async (t) => {
  supported(t);
  const says = '6071825935';
  const { verification } = await attempt(harness, accountId, { ...voice, says });
  const audit = await context.store.transaction('operator', (tx) => tx.audit.page(0, 10_000));
  const record = await context.store.transaction('operator', (tx) => tx.verifications.get(verification.verificationId));
  t.ok(record);
  t.notMatch(JSON.stringify([audit, record, verification]), says);
});

void t.test(
  'an utterance of an enrolment may be any of its prompts, and in a supported language nothing else',
  async (t) => {
    supported(t);
    await putAccount(context, full, 'enrolling');
    await consented(harness, 'enrolling');
    const proof = { ...noProof, agentId: 'agent-7' };
    const { enrolmentId, prompts } = await startEnrolment(context, full, 'enrolling', { language: 'zh', proof });
    const says = (digits: string) => addUtterance(context, full, enrolmentId, recording({ voice: 1, says: digits }));
    const second = await says(prompts[1]?.digits ?? '');
    t.match(second, { accepted: true, reasons: [], phrase: { kind: 'checked', verdict: 'match' } });
    const other = await says(otherDigits);
    t.match(other, { accepted: false, reasons: ['WRONG_TEXT'], phrase: { verdict: 'wrong' } });
    t.match(await says(''), { accepted: false, reasons: ['NOT_ENOUGH_SPEECH'], phrase: { verdict: 'silence' } });
    t.equal(other.progress.utterances, 1, 'and is not kept');
    ears.languageStatus = 'experimental';
    t.match(await says(otherDigits), {
      accepted: true,
      reasons: [],
      phrase: { verdict: 'wrong', status: 'experimental' },
    });
  },
);
