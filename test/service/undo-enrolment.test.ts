import t from 'tap';
import { getAccount, putAccount } from '../../src/service/accounts.js';
import { readAudit } from '../../src/service/audit-trail.js';
import { completeEnrolment } from '../../src/service/complete-enrolment.js';
import { withdrawConsent } from '../../src/service/consents.js';
import { addUtterance, getEnrolment, startEnrolment } from '../../src/service/enrolments.js';
import { undoEnrolment } from '../../src/service/undo-enrolment.js';
import { attempt, consented, enrolled, enrolVoice, goodPin, noProof, openHarness, recording } from './harness.js';

const harness = await openHarness(t);
const { context, full, opaque } = harness;

/** An agent enrols a voice, over another if there is one. */
async function byAgent(accountId: string, voice: number) {
  const { enrolmentId } = await startEnrolment(context, full, accountId, {
    language: 'zh',
    proof: { ...noProof, agentId: 'a7', overrideReason: 'passport seen' },
  });
  for (const blur of [0, 0.1, 0.2]) await addUtterance(context, full, enrolmentId, recording({ voice, blur }));
  return { enrolmentId, ...(await completeEnrolment(context, full, enrolmentId)) };
}
const printOf = async (accountId: string) => (await getAccount(context, full, accountId)).voiceprint?.voiceprintId;

void t.test('an undone enrolment leaves the account as it was before', async (t) => {
  await enrolled(harness, 'u1', 1);
  harness.wait(25 * 3600);
  const before = await printOf('u1');
  const { enrolmentId, voiceprintId } = await byAgent('u1', 2);
  t.not(voiceprintId, before);
  t.same(await undoEnrolment(context, full, enrolmentId, 'a7'), {
    enrolmentId,
    voiceprintsErased: 1,
    restoredVoiceprintIds: [before],
  });
  t.equal(await printOf('u1'), before);
  t.equal((await getEnrolment(context, full, enrolmentId)).state, 'undone');
  const own = await attempt(harness, 'u1', { voice: 1 }, { tier: 'standard', pin: goodPin });
  t.notOk(own.verification.decision.reasons.includes('NEW_VOICEPRINT'), 'the old print is as old as it was');
  const { verification } = await attempt(harness, 'u1', { voice: 2 });
  t.equal(verification.decision.kind, 'REJECT', 'and the undone voice is a stranger');
  const { entries } = await readAudit(context, full, 0, 200);
  t.match(
    entries.map(({ event }) => event).find(({ kind }) => kind === 'enrolment_undone'),
    {
      by: { apiKeyId: full.apiKeyId, agentId: 'a7' },
      enrolmentId,
      voiceprintsErased: 1,
      restoredVoiceprintIds: [before],
    },
  );
  await t.rejects(undoEnrolment(context, full, enrolmentId, 'a7'), { code: 'enrolment_closed' }, 'once');
});

void t.test('a first enrolment undone leaves no print', async (t) => {
  await putAccount(context, full, 'u2');
  await consented(harness, 'u2');
  const { enrolmentId } = await byAgent('u2', 5);
  t.match(await undoEnrolment(context, full, enrolmentId, 'a7'), { restoredVoiceprintIds: [] });
  t.equal((await getAccount(context, full, 'u2')).enrolled, false);
  t.ok((await byAgent('u2', 5)).voiceprintId, 'and it can be made again');
});

void t.test('only the key and the agent who made it undo it, in time', async (t) => {
  await putAccount(context, full, 'u3');
  await consented(harness, 'u3');
  const { enrolmentId } = await byAgent('u3', 6);
  await t.rejects(undoEnrolment(context, opaque, enrolmentId, 'a7'), { code: 'forbidden' });
  await t.rejects(undoEnrolment(context, full, enrolmentId, 'a8'), { code: 'proof_refused' });
  await t.rejects(undoEnrolment(context, full, `enr_${'0'.repeat(32)}`, 'a7'), { code: 'enrolment_unknown' });
  harness.wait(601);
  await t.rejects(undoEnrolment(context, full, enrolmentId, 'a7'), { code: 'enrolment_closed' });
  t.equal((await getAccount(context, full, 'u3')).enrolled, true);
});

void t.test('an enrolment that the caller made by PIN is not an agent’s to undo', async (t) => {
  await enrolled(harness, 'u4', 7);
  const { enrolmentId } = await startEnrolment(context, full, 'u4', {
    language: 'zh',
    proof: { ...noProof, pin: goodPin },
  });
  await t.rejects(undoEnrolment(context, full, enrolmentId, 'a7'), { code: 'proof_refused' });
});

void t.test('what was erased or replaced meanwhile does not come back', async (t) => {
  await enrolled(harness, 'u5', 8);
  const { enrolmentId } = await byAgent('u5', 2);
  await withdrawConsent(context, full, 'u5');
  await t.rejects(undoEnrolment(context, full, enrolmentId, 'a7'), { code: 'conflict' });
  t.equal((await getAccount(context, full, 'u5')).enrolled, false);
  await enrolled(harness, 'u6', 8);
  const first = await byAgent('u6', 2);
  const newest = await enrolVoice(harness, 'u6', 8, { ...noProof, pin: goodPin });
  await t.rejects(undoEnrolment(context, full, first.enrolmentId, 'a7'), { code: 'conflict' });
  t.equal(await printOf('u6'), newest);
});

void t.test('an open enrolment is cancelled, not undone', async (t) => {
  await enrolled(harness, 'u7', 8);
  const { enrolmentId } = await startEnrolment(context, full, 'u7', {
    language: 'zh',
    proof: { ...noProof, agentId: 'a7', overrideReason: 'passport seen' },
  });
  await t.rejects(undoEnrolment(context, full, enrolmentId, 'a7'), { code: 'enrolment_closed', hint: /DELETE/ });
});
