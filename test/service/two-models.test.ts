import t from 'tap';
import { attempt, enrolled, modelId, nextModelId, openHarness } from './harness.js';

const harness = await openHarness(t);
const { ears, opaque } = harness;
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
