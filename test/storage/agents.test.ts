import t from 'tap';
import { openTestStore } from './open-test-store.js';
import { agentVoiceprintRow, fresh, newTenant, vectorOf } from './rows.js';

const store = await openTestStore(t);
void t.test('an agent’s prints come back to the last bit, one by each model, and are replaced together', async (t) => {
  const tenantId = await newTenant(store);
  const agentId = fresh('agent');
  const rows = [
    agentVoiceprintRow(agentId, { modelId: 'model-a', vector: vectorOf(1), consentReference: null }),
    agentVoiceprintRow(agentId, { modelId: 'model-b', vector: vectorOf(2), consentReference: null }),
  ];
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.agents.replace(agentId, rows), 0);
    t.same(await tx.agents.voiceprints(agentId), rows);
    t.same(await tx.agents.voiceprint(agentId, 'model-b'), rows[1]);
    t.equal(await tx.agents.voiceprint(agentId, 'model-c'), null);
    const newer = [agentVoiceprintRow(agentId, { modelId: 'model-c', vector: vectorOf(3), consentReference: null })];
    t.equal(await tx.agents.replace(agentId, newer), 2);
    t.same(await tx.agents.voiceprints(agentId), newer);
    t.equal(await tx.agents.replace(agentId, []), 1);
    t.same(await tx.agents.voiceprints(agentId), []);
  });
});

void t.test('another tenant’s agent of the same id is another', async (t) => {
  const [one, other] = [await newTenant(store), await newTenant(store)];
  await store.transaction(one, (tx) =>
    tx.agents.replace('a7', [
      agentVoiceprintRow('a7', { modelId: 'model-a', vector: vectorOf(1), consentReference: null }),
    ]),
  );
  await store.transaction(other, async (tx) => {
    t.same(await tx.agents.voiceprints('a7'), []);
    t.equal(await tx.agents.replace('a7', []), 0);
  });
  await store.transaction(one, async (tx) => t.equal((await tx.agents.voiceprints('a7')).length, 1));
});
