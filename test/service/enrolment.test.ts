import t from 'tap';
import { eraseAccount, getAccount, putAccount, setOptOut } from '../../src/service/accounts.js';
import { giveConsent, withdrawConsent } from '../../src/service/consents.js';
import { completeEnrolment } from '../../src/service/complete-enrolment.js';
import { addUtterance, cancelEnrolment, getEnrolment, startEnrolment } from '../../src/service/enrolments.js';
import { setPin } from '../../src/service/pins.js';
import {
  attempt,
  consented,
  enrolled,
  enrolVoice,
  goodPin,
  noProof,
  openHarness,
  otherPin,
  recording,
} from './harness.js';

const harness = await openHarness(t);
const { context, full, ears } = harness;
const startWith = (accountId: string, proof: Partial<typeof noProof>) =>
  startEnrolment(context, full, accountId, { language: 'zh', proof: { ...noProof, ...proof } });

void t.test('a first voiceprint needs consent, and the right PIN or an agent', async (t) => {
  await t.rejects(startWith('a1', { agentId: 'agent-7' }), { code: 'account_unknown' });
  await putAccount(context, full, 'a1');
  await t.rejects(startWith('a1', { agentId: 'agent-7' }), { code: 'consent_missing' });
  await consented(harness, 'a1');
  await t.rejects(startWith('a1', {}), { code: 'proof_required' });
  await t.rejects(startWith('a1', { pin: goodPin }), { code: 'proof_required' }, 'there is no PIN yet');
  const byAgent = await startWith('a1', { agentId: 'agent-7' });
  t.equal(byAgent.prompts.length, 6, 'as many as the policy may come to take');
  t.equal(new Set(byAgent.prompts.flatMap(({ digits }) => [...digits])).size, 10, 'the prompts cover all ten digits');
  await setPin(context, full, 'a1', { newPin: goodPin, proof: noProof });
  t.ok(await startWith('a1', { pin: goodPin }));
  t.equal((await getEnrolment(context, full, byAgent.enrolmentId)).state, 'superseded');
});

void t.test('a wrong PIN shown as proof counts on the ladder and then locks', async (t) => {
  await putAccount(context, full, 'a2');
  await consented(harness, 'a2');
  await setPin(context, full, 'a2', { newPin: goodPin, proof: noProof });
  for (let failure = 0; failure < 5; failure++) {
    await t.rejects(startWith('a2', { pin: otherPin }), { code: 'proof_refused' });
  }
  await t.rejects(startWith('a2', { pin: goodPin }), { code: 'locked' });
  const together = await Promise.allSettled(Array.from({ length: 20 }, () => startWith('a2', { pin: otherPin })));
  t.ok(together.every((one) => one.status === 'rejected' && (one.reason as { code: string }).code === 'locked'));
});

void t.test('each utterance is answered with quality and progress, and is kept only when accepted', async (t) => {
  await putAccount(context, full, 'a3');
  await consented(harness, 'a3');
  const { enrolmentId } = await startWith('a3', { agentId: 'agent-7' });
  const short = await addUtterance(context, full, enrolmentId, recording({ voice: 1, netSpeechSeconds: 0.4 }));
  t.same(short.reasons, ['NOT_ENOUGH_SPEECH']);
  t.equal(short.accepted, false);
  t.equal(short.progress.utterances, 0);
  const noisy = await addUtterance(context, full, enrolmentId, recording({ voice: 1, snrDb: 0 }));
  t.same(noisy.reasons, ['LOW_QUALITY']);
  await t.rejects(completeEnrolment(context, full, enrolmentId), { code: 'enrolment_incomplete' });
  for (const blur of [0, 0.1, 0.2]) {
    const answer = await addUtterance(context, full, enrolmentId, recording({ voice: 1, blur }));
    t.ok(answer.accepted);
  }
  const made = await completeEnrolment(context, full, enrolmentId);
  t.equal(made.enrolment.state, 'completed');
  t.equal((await getAccount(context, full, 'a3')).voiceprint?.voiceprintId, made.voiceprintId);
  await t.rejects(addUtterance(context, full, enrolmentId, recording({ voice: 1 })), { code: 'enrolment_closed' });
});

void t.test('two voices do not make one voiceprint', async (t) => {
  await putAccount(context, full, 'a4');
  await consented(harness, 'a4');
  const { enrolmentId } = await startWith('a4', { agentId: 'agent-7' });
  for (const voice of [1, 1, 9]) await addUtterance(context, full, enrolmentId, recording({ voice }));
  await t.rejects(completeEnrolment(context, full, enrolmentId), { code: 'enrolment_inconsistent' });
  t.equal((await getAccount(context, full, 'a4')).enrolled, false);
  await cancelEnrolment(context, full, enrolmentId);
  await t.rejects(cancelEnrolment(context, full, enrolmentId), { code: 'enrolment_closed' });
});

void t.test(
  'replacing a voiceprint needs the old PIN, a fresh accepted verification, or an override with a reason',
  async (t) => {
    await enrolled(harness, 'a5', 1);
    const first = (await getAccount(context, full, 'a5')).voiceprint?.voiceprintId;
    await t.rejects(
      startWith('a5', { agentId: 'agent-7' }),
      { code: 'proof_required' },
      'an agent alone is not enough',
    );
    t.ok(await startWith('a5', { agentId: 'agent-7', overrideReason: 'lost voice, passport seen' }));
    t.ok(await startWith('a5', { pin: goodPin }));
    const { verification } = await attempt(harness, 'a5', { voice: 1 });
    const { verificationId } = verification;
    const second = await enrolVoice(harness, 'a5', 2, { ...noProof, verificationId });
    t.not(second, first);
    harness.wait(11 * 60);
    await t.rejects(startWith('a5', { verificationId }), { code: 'proof_required' }, 'ten minutes are over');

    const again = await attempt(harness, 'a5', { voice: 2 });
    t.equal(again.verification.decision.kind, 'ACCEPT', 'the new print is good for the low tier');
    const standard = await attempt(harness, 'a5', { voice: 2 }, { tier: 'standard' });
    t.ok(standard.verification.decision.reasons.includes('NEW_VOICEPRINT'));
    harness.wait(25 * 3600);
    const nextDay = await attempt(harness, 'a5', { voice: 2 }, { tier: 'standard' });
    t.notOk(nextDay.verification.decision.reasons.includes('NEW_VOICEPRINT'));
  },
);

void t.test('somebody else’s accepted verification is no proof', async (t) => {
  await enrolled(harness, 'a6', 1);
  await enrolled(harness, 'a7', 2);
  const { verification } = await attempt(harness, 'a7', { voice: 2 });
  await t.rejects(startWith('a6', { verificationId: verification.verificationId }), { code: 'proof_required' });
});

void t.test('a PIN is replaced only with proof, and simple PINs are refused', async (t) => {
  await enrolled(harness, 'a8', 1);
  await t.rejects(setPin(context, full, 'a8', { newPin: otherPin, proof: noProof }), { code: 'proof_required' });
  await t.rejects(setPin(context, full, 'a8', { newPin: '111111', proof: { ...noProof, pin: goodPin } }), {
    code: 'pin_too_simple',
  });
  await t.rejects(setPin(context, full, 'a8', { newPin: '12', proof: { ...noProof, pin: goodPin } }), {
    code: 'pin_invalid',
  });
  await setPin(context, full, 'a8', { newPin: otherPin, proof: { ...noProof, pin: goodPin } });
  t.equal((await attempt(harness, 'a8', { voice: 1 }, { pin: otherPin })).verification.decision.kind, 'ACCEPT');
});

void t.test('without consent no utterance is heard, even when it is withdrawn in the middle', async (t) => {
  await putAccount(context, full, 'a9');
  await consented(harness, 'a9');
  const { enrolmentId } = await startWith('a9', { agentId: 'agent-7' });
  await setOptOut(context, full, 'a9', true);
  ears.heardFrom.length = 0;
  await t.rejects(addUtterance(context, full, enrolmentId, recording({ voice: 1 })));
  t.same(ears.heardFrom, []);
});

void t.test('erasure leaves nothing, but an opt-out outlives it', async (t) => {
  await enrolled(harness, 'a10', 1);
  await setOptOut(context, full, 'a10', true);
  t.equal((await getAccount(context, full, 'a10')).enrolled, false, 'opting out erases the print');
  await eraseAccount(context, full, 'a10');
  await t.rejects(getAccount(context, full, 'a10'), { code: 'account_unknown' });
  await putAccount(context, full, 'a10');
  t.equal((await getAccount(context, full, 'a10')).optedOut, true);
  const consent = {
    purpose: 'authentication',
    textVersion: '1',
    channel: 'ivr',
    evidenceReference: null,
    agentId: null,
  };
  await t.rejects(giveConsent(context, full, 'a10', consent), { code: 'opted_out' });
  await setOptOut(context, full, 'a10', false);
  t.ok(await giveConsent(context, full, 'a10', consent));
});

void t.test('a first PIN is no way to replace a voiceprint that an agent enrolled', async (t) => {
  await putAccount(context, full, 'a11');
  await consented(harness, 'a11');
  await enrolVoice(harness, 'a11', 1, { ...noProof, agentId: 'agent-7' });
  const setting = { newPin: goodPin, proof: noProof };
  await t.rejects(setPin(context, full, 'a11', setting), { code: 'proof_required' });
  const override = { ...noProof, agentId: 'agent-7', overrideReason: 'passport seen' };
  t.ok(await setPin(context, full, 'a11', { newPin: goodPin, proof: override }));
});

void t.test('a replaced PIN closes the enrolment that the old one opened', async (t) => {
  await enrolled(harness, 'a12', 1);
  const { enrolmentId } = await startWith('a12', { pin: goodPin });
  await setPin(context, full, 'a12', { newPin: otherPin, proof: { ...noProof, pin: goodPin } });
  await t.rejects(addUtterance(context, full, enrolmentId, recording({ voice: 9 })), { code: 'enrolment_closed' });
});

void t.test('an utterance that is heard while the caller opts out leaves nothing, whoever is first', async (t) => {
  for (let round = 0; round < 5; round++) {
    const accountId = `a13-${round}`;
    await putAccount(context, full, accountId);
    await consented(harness, accountId);
    const { enrolmentId } = await startWith(accountId, { agentId: 'agent-7' });
    const leaving =
      round % 2 === 0 ? setOptOut(context, full, accountId, true) : withdrawConsent(context, full, accountId);
    await Promise.allSettled([
      ...[0, 0.1, 0.2].map((blur) => addUtterance(context, full, enrolmentId, recording({ voice: 1, blur }))),
      leaving,
    ]);
    const view = await getEnrolment(context, full, enrolmentId);
    t.equal(view.state, 'superseded');
    t.equal(view.progress.utterances, 0, 'no embedding outlives the consent');
  }
});

void t.test('utterances sent at once do not pass the policy’s most', async (t) => {
  await putAccount(context, full, 'a14');
  await consented(harness, 'a14');
  const { enrolmentId } = await startWith('a14', { agentId: 'agent-7' });
  await Promise.allSettled(
    Array.from({ length: 12 }, () => addUtterance(context, full, enrolmentId, recording({ voice: 1 }))),
  );
  t.equal((await getEnrolment(context, full, enrolmentId)).progress.utterances, 6);
  const twice = await Promise.allSettled([1, 2].map(() => completeEnrolment(context, full, enrolmentId)));
  t.same(twice.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'one of two completions makes the print');
});
