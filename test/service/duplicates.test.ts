import t from 'tap';
import { accountPseudonym } from '../../src/service/context.js';
import { defaultPolicy, type PolicyDocument } from '../../src/decision/policy.js';
import { eraseAccount, getAccount, putAccount } from '../../src/service/accounts.js';
import { readAudit } from '../../src/service/audit-trail.js';
import { completeEnrolment } from '../../src/service/complete-enrolment.js';
import { duplicateThresholdLlr, listDuplicates, resolveDuplicate } from '../../src/service/duplicates.js';
import { addUtterance, getEnrolment, startEnrolment } from '../../src/service/enrolments.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import { consented, enrolled, noProof, openHarness, recording } from './harness.js';

const harness = await openHarness(t);
const { context, full } = harness;

/** An enrolment that lacks nothing but its completion. */
async function ready(accountId: string, voice: number): Promise<string> {
  await putAccount(context, full, accountId);
  await consented(harness, accountId);
  const { enrolmentId } = await startEnrolment(context, full, accountId, {
    language: 'zh',
    proof: { ...noProof, agentId: 'a7', overrideReason: 'test' },
  });
  for (const blur of [0, 0.1, 0.2]) await addUtterance(context, full, enrolmentId, recording({ voice, blur }));
  return enrolmentId;
}

async function setDuplicates(duplicates: PolicyDocument['duplicates']): Promise<void> {
  const { version } = await storePolicy(context, full, { ...defaultPolicy, duplicates });
  await activatePolicy(context, full, version);
}

const all = { onlyOpen: false, before: null, limit: 100 };
const findings = () => listDuplicates(context, full, all);

void t.test(
  'a voice that is enrolled under another account makes its print, and the security team is told',
  async (t) => {
    await enrolled(harness, 'first', 1);
    await enrolled(harness, 'stranger', 3);
    t.same(await findings(), [], 'a new voice is nobody’s');
    const enrolmentId = await ready('second', 1);
    const answer = await completeEnrolment(context, full, enrolmentId);
    t.equal((await getAccount(context, full, 'second')).enrolled, true);
    t.same(Object.keys(answer).sort(), ['enrolment', 'supersedes', 'voiceprintId'], 'who enrols learns nothing of it');
    t.notMatch(JSON.stringify(answer), 'first');
    const [found, ...more] = await findings();
    t.same(more, []);
    t.match(found, {
      accountId: 'second',
      otherAccountId: 'first',
      enrolmentId,
      outcome: 'flagged',
      printsSearched: 2,
    });
    t.ok((found?.llr ?? 0) >= (found?.thresholdLlr ?? 99));
    const { entries } = await readAudit(context, full, 0, 200);
    const event = entries.map((one) => one.event).find(({ kind }) => kind === 'duplicate_voice_found');
    const pseudonyms = await context.store.transaction('operator', async (tx) =>
      Promise.all(['second', 'first'].map(async (id) => accountPseudonym((await tx.accounts.get(id))!))),
    );
    t.match(event, { account: pseudonyms[0], otherAccount: pseudonyms[1], findingId: found?.findingId });
    t.notMatch(JSON.stringify(event), /first|second/);
  },
);

void t.test('enrolling again is no duplicate of oneself', async (t) => {
  const before = (await findings()).length;
  await completeEnrolment(context, full, await ready('stranger', 3));
  t.equal((await findings()).length, before);
});

void t.test('a policy that refuses makes no print and does not say why', async (t) => {
  await setDuplicates({ whenFound: 'refuse', falseAlarmsPerEnrolment: 0.01 });
  const enrolmentId = await ready('third', 1);
  const fault = await completeEnrolment(context, full, enrolmentId).then(
    () => null,
    (error: Error & { code: string; hint: string; details?: unknown }) => error,
  );
  t.equal(fault?.code, 'enrolment_under_review');
  t.equal(fault?.details, undefined);
  t.notMatch(`${fault?.message} ${fault?.hint}`, /first|second|account|duplicate/);
  t.equal((await getAccount(context, full, 'third')).enrolled, false);
  const { state, progress } = await getEnrolment(context, full, enrolmentId);
  t.same([state, progress.utterances], ['cancelled', 0], 'what was gathered is erased');
  const refused = (await findings()).filter(({ outcome }) => outcome === 'refused');
  t.same(refused.map(({ accountId, otherAccountId }) => `${accountId} ${otherAccountId}`).sort(), [
    'third first',
    'third second',
  ]);
});

void t.test('what the security team allows is not found again between these two', async (t) => {
  for (const { findingId, accountId } of await findings()) {
    if (accountId !== 'third') continue;
    const resolved = await resolveDuplicate(context, full, findingId, true);
    t.match(resolved, { allowed: true, resolvedAt: Date });
  }
  await completeEnrolment(context, full, await ready('third', 1));
  t.equal((await getAccount(context, full, 'third')).enrolled, true);
  await t.rejects(completeEnrolment(context, full, await ready('fourth', 1)), { code: 'enrolment_under_review' });
  t.ok(
    (await listDuplicates(context, full, { ...all, onlyOpen: true })).every(({ accountId }) => accountId !== 'third'),
  );
  await t.rejects(resolveDuplicate(context, full, `dup_${'0'.repeat(32)}`, true), { code: 'not_found' });
});

void t.test('findings go with an erased account, and nobody is looked for where the policy says off', async (t) => {
  await eraseAccount(context, full, 'first');
  t.ok((await findings()).every((one) => one.accountId !== 'first' && one.otherAccountId !== 'first'));
  await setDuplicates({ whenFound: 'off', falseAlarmsPerEnrolment: 0.01 });
  const before = (await findings()).length;
  await completeEnrolment(context, full, await ready('fifth', 1));
  t.equal((await findings()).length, before);
});

void t.test('the threshold rises with the prints and falls with the budget, and keeps it', async (t) => {
  const tail = {
    level: 0,
    share: 0.01,
    shape: 0,
    scale: 1,
    exceedances: 99,
    searches: 9,
    prints: 9,
    command: 'none',
  };
  // An exponential tail of scale 1: a false match rate of f is reached at ln(0.01 / f).
  t.ok(Math.abs(duplicateThresholdLlr(1000, 0.01, tail, 0) - Math.log(1000)) < 1e-9);
  t.ok(Math.abs(duplicateThresholdLlr(1000, 0.001, tail, 0) - Math.log(10_000)) < 1e-9);
  t.ok(duplicateThresholdLlr(1e6, 0.01, tail, 0) > duplicateThresholdLlr(1000, 0.01, tail, 0));
  t.equal(duplicateThresholdLlr(1, 0.01, tail, 3.5), 3.5, 'never below the floor');
  t.equal(duplicateThresholdLlr(1, 0.5, tail, -9), 0, 'nor out of the tail');
  t.ok(Math.abs(duplicateThresholdLlr(1000, 0.01, undefined, 0) - Math.log(100_000)) < 1e-9, 'what an LLR promises');
  t.equal(duplicateThresholdLlr(0, 0.01, undefined, 0), -Math.log(0.01));
});
