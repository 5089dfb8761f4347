import t from 'tap';
import type { AgentVoiceprintRow } from '../../src/service/ports.js';
import { openTestStore } from './open-test-store.js';
import { fresh, moment, newTenant, vectorOf } from './rows.js';

const store = await openTestStore(t);
const row = (agentId: string, modelId: string, seed: number): AgentVoiceprintRow => ({
  agentId,
  modelId,
  vector: vectorOf(seed),
  netSpeechSeconds: 12.5,
  consentTextVersion: 'staff-1',
  consentReference: seed % 2 === 0 ? null : 'file 7',
  createdAt: moment(seed),
});

void t.test('an agent’s prints come back to the last bit, one by each model, and are replaced together', async (t) => {
  const tenantId = await newTenant(store);
  const agentId = fresh('agent');
  const rows = [row(agentId, 'model-a', 1), row(agentId, 'model-b', 2)];
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.agents.replace(agentId, rows), 0);
    t.same(await tx.agents.voiceprints(agentId), rows);
    t.same(await tx.agents.voiceprint(agentId, 'model-b'), rows[1]);
    t.equal(await tx.agents.voiceprint(agentId, 'model-c'), null);
    const newer = [row(agentId, 'model-c', 3)];
    t.equal(await tx.agents.replace(agentId, newer), 2);
    t.same(await tx.agents.voiceprints(agentId), newer);
    t.equal(await tx.agents.replace(agentId, []), 1);
    t.same(await tx.agents.voiceprints(agentId), []);
  });
});

void t.test('another tenant’s agent of the same id is another', async (t) => {
  const [one, other] = [await newTenant(store), await newTenant(store)];
  await store.transaction(one, (tx) => tx.agents.replace('a7', [row('a7', 'model-a', 1)]));
  await store.transaction(other, async (tx) => {
    t.same(await tx.agents.voiceprints('a7'), []);
    t.equal(await tx.agents.replace('a7', []), 0);
  });
  await store.transaction(one, async (tx) => t.equal((await tx.agents.voiceprints('a7')).length, 1));
});
