import t from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { enrolled, modelId, nextModelId } from '../service/harness.js';
import { accountRow, candidateRow, voiceprintRow } from '../storage/rows.js';
import { openHttp } from './harness.js';

const http = await openHttp(t);
const { call, context, ears } = http;
const admin = await http.key(['admin']);
const analyst = await http.key(['analyst']);
const ivr = await http.key(['verifier']);

void t.test('analysts see which models judge, whose voiceprints there are, and how far a change is', async (t) => {
  await enrolled(http, 'c-1', 1);
  t.same((await call(analyst, 'GET', '/v1/models')).body, {
    loaded: [{ modelId, active: true, calibrationVersion: `${modelId}.1` }],
    voiceprints: [{ modelId, voiceprints: 1, derived: 0 }],
    change: null,
  });
  ears.modelIds = [modelId, nextModelId];
  const document = { ...defaultPolicy, modelChange: { quietPrintsOf: nextModelId, minVoiceLlr: 7 } };
  const { body } = await call(admin, 'PUT', '/v1/policies', document);
  await call(admin, 'POST', `/v1/policies/${String(body.version)}/activate`);
  const waiting = { modelId: nextModelId, quietPrints: true, waiting: 1, both: 0, moved: 0, medianDays: null };
  t.match(await call(admin, 'GET', '/v1/models'), {
    status: 200,
    body: { loaded: [{}, { active: false }], change: waiting },
  });
  const asked = await call(analyst, 'GET', '/v1/models?to=model-c');
  t.match(asked.body, { change: { modelId: 'model-c', quietPrints: false } });
  t.equal((await call(ivr, 'GET', '/v1/models')).status, 403);
  t.equal((await call(analyst, 'GET', '/v1/models?to=../etc')).status, 400);
});

void t.test('an administrator takes an account’s quiet voiceprint back', async (t) => {
  const base = voiceprintRow('c-2', { modelId });
  await context.store.transaction('operator', async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow('c-2'));
    await tx.voiceprints.add(base);
    const derivedFromVoiceprintId = base.voiceprintId;
    await tx.voiceprints.add(voiceprintRow('c-2', { modelId: nextModelId, derivedFromVoiceprintId }));
    await tx.modelChange.addCandidate(candidateRow(base, { modelId: nextModelId }));
  });
  const path = `/v1/accounts/c-2/voiceprints/${nextModelId}`;
  t.equal((await call(analyst, 'DELETE', path)).status, 403);
  t.match(await call(admin, 'DELETE', path), { status: 200, body: { voiceprintsErased: 1, utterancesErased: 1 } });
  t.match(await call(admin, 'DELETE', path), { status: 404, body: { code: 'not_found' } });
  t.equal((await call(admin, 'DELETE', `/v1/accounts/c-2/voiceprints/${modelId}`)).status, 404, 'not an enrolled one');
});
