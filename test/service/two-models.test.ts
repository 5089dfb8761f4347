import t from 'tap';
import { getAccount, putAccount } from '../../src/service/accounts.js';
import { completeEnrolment } from '../../src/service/complete-enrolment.js';
import { addUtterance, startEnrolment } from '../../src/service/enrolments.js';
import {
  attempt,
  consented,
  enrolled,
  enrolVoice,
  goodPin,
  modelId,
  nextModelId,
  noProof,
  openHarness,
  recording,
} from './harness.js';

const harness = await openHarness(t);
const { context, ears, opaque } = harness;
const voice = { voice: 1, blur: 0.1 };

void t.test('a print is judged by the loaded model that made it, and the record names that model', async (t) => {
  await enrolled(harness, 'old', 1);
  ears.modelIds = [nextModelId, modelId];
  await enrolled(harness, 'new', 1);
  for (const [accountId, judge] of [
    ['old', modelId],
    ['new', nextModelId],
  ] as const) {
    const { verification } = await attempt(harness, accountId, voice);
    t.equal(verification.decision.kind, 'ACCEPT');
    t.match(verification.evidence.voice, { kind: 'compared', modelId: judge, calibrationVersion: `${judge}.1` });
    t.equal(verification.modelId, judge);
    const stranger = await attempt(harness, accountId, { voice: 5 });
    t.same(stranger.verification.decision, { kind: 'REJECT', reasons: ['VOICE_MISMATCH'] });
  }
  const full = await attempt(harness, 'old', voice);
  t.equal(full.verification.evidence.account, 'enrolled');
});

void t.test('an enrolment makes a print by each loaded model, and both replace what was there', async (t) => {
  ears.modelIds = [modelId];
  await enrolled(harness, 'twice', 1);
  const prints = () => context.store.transaction('operator', (tx) => tx.voiceprints.active('twice'));
  const [first] = await prints();
  ears.modelIds = [modelId, nextModelId];
  const voiceprintId = await enrolVoice(harness, 'twice', 2, { ...noProof, pin: goodPin });
  const both = await prints();
  t.same(both.map((print) => print.modelId).sort(), [modelId, nextModelId].sort());
  t.equal(both.find((print) => print.modelId === modelId)?.voiceprintId, voiceprintId);
  for (const print of both) {
    t.equal(print.supersedesVoiceprintId, first?.voiceprintId, 'both are as young as a replacement');
    t.equal(print.derivedFromVoiceprintId, null);
    t.equal(print.utterances.length, 3);
  }
  const entries = await context.store.transaction('operator', (tx) => tx.audit.page(0, 10_000));
  const created = entries.filter(({ event }) => event.kind === 'voiceprint_created').slice(-2);
  t.same(
    created.map(({ event }) => 'modelId' in event && event.modelId),
    [modelId, nextModelId],
  );
  ears.modelIds = [nextModelId];
  t.equal((await attempt(harness, 'twice', { voice: 2 })).verification.decision.kind, 'ACCEPT');
  t.equal((await getAccount(context, harness.full, 'twice')).voiceprint?.modelId, nextModelId);
});

void t.test('utterances that only one of the models heard make a print by that one alone', async (t) => {
  ears.modelIds = [modelId];
  await putAccount(context, harness.full, 'half');
  await consented(harness, 'half');
  const proof = { ...noProof, agentId: 'agent-7' };
  const { enrolmentId } = await startEnrolment(context, harness.full, 'half', { language: 'zh', proof });
  for (const blur of [0, 0.1, 0.2]) {
    await addUtterance(context, harness.full, enrolmentId, recording({ voice: 3, blur }));
    // A node that knows the next model already takes the later utterances.
    ears.modelIds = [nextModelId, modelId];
  }
  await completeEnrolment(context, harness.full, enrolmentId);
  const prints = await context.store.transaction('operator', (tx) => tx.voiceprints.active('half'));
  t.same(
    prints.map((print) => print.modelId),
    [modelId],
  );
});

void t.test('an opaque key costs the same network runs whichever model judges, or none', async (t) => {
  ears.modelIds = [nextModelId, modelId];
  const runs = [];
  for (const accountId of ['old', 'new', 'nobody']) {
    ears.heardFrom.length = 0;
    await attempt(harness, accountId, voice, {}, opaque);
    runs.push(ears.heardFrom.map((run) => run.modelId).sort());
    const callers = ears.heardFrom.filter(({ listening }) => listening === 'caller').map((run) => run.modelId);
    t.same(callers, accountId === 'nobody' ? [] : [accountId === 'old' ? modelId : nextModelId]);
  }
  t.same(runs, Array(3).fill([modelId, nextModelId].sort()));
});
