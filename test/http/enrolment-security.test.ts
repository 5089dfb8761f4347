import t from 'tap';
import { recording } from '../service/harness.js';
import { openHttp } from './harness.js';

const http = await openHttp(t);
const enroller = await http.key(['enroller']);
const otherEnroller = await http.key(['enroller']);
const opaqueEnroller = await http.key(['enroller'], 'opaque');
const verifier = await http.key(['verifier']);
const admin = await http.key(['admin']);
const analyst = await http.key(['analyst']);
const audio = (what: Parameters<typeof recording>[0]) => ({
  content: Buffer.from(recording(what).bytes).toString('base64'),
  contentType: 'test/recording',
});

/** Enrols a voice as an agent does. */
async function enrol(accountId: string, voice: number, key = enroller) {
  await http.call(key, 'PUT', `/v1/accounts/${accountId}`);
  const consent = { purpose: 'authentication', textVersion: '1', channel: 'agent' };
  await http.call(key, 'POST', `/v1/accounts/${accountId}/consents`, consent);
  const started = await http.call(key, 'POST', `/v1/accounts/${accountId}/enrolments`, { agentId: 'a7' });
  const { enrolmentId } = started.body;
  for (const blur of [0, 0.1, 0.2]) {
    const answer = await http.call(key, 'POST', `/v1/enrolments/${enrolmentId}/utterances`, {
      audio: audio({ voice, blur }),
    });
    t.equal(answer.body.accepted, true);
    t.match(answer.body.hint, /keep_talking|almost_done|done/);
  }
  return { enrolmentId, answer: await http.call(key, 'POST', `/v1/enrolments/${enrolmentId}/complete`) };
}

void t.test('an agent’s voiceprint is made, seen and erased over HTTP, by the right roles', async (t) => {
  const url = '/v1/agents/a7/voiceprint';
  const body = { consentTextVersion: 'staff-1', audio: audio({ voice: 9, netSpeechSeconds: 20 }) };
  t.equal((await http.call(enroller, 'GET', url)).status, 404);
  t.equal((await http.call(verifier, 'PUT', url, body)).status, 403);
  t.equal((await http.call(enroller, 'PUT', url, { audio: body.audio })).status, 400, 'without consent');
  const made = await http.call(enroller, 'PUT', url, body);
  t.equal(made.status, 200);
  t.match(made.body, { voiceprint: { agentId: 'a7', consentTextVersion: 'staff-1' }, reasons: [], hint: 'done' });
  t.equal((await http.call(admin, 'GET', url)).status, 200);
  t.equal((await http.call(enroller, 'DELETE', url)).status, 204);
  t.equal((await http.call(enroller, 'DELETE', url)).status, 404);
});

void t.test('findings of one voice under two accounts are for analysts alone', async (t) => {
  t.equal((await enrol('one', 1)).answer.status, 201);
  const { answer } = await enrol('two', 1, opaqueEnroller);
  t.equal(answer.status, 201);
  t.notMatch(JSON.stringify(answer.body), '"one"');
  for (const key of [enroller, opaqueEnroller, verifier, admin]) {
    t.equal((await http.call(key, 'GET', '/v1/duplicates')).status, 403);
  }
  const { body } = await http.call(analyst, 'GET', '/v1/duplicates');
  t.match(body.findings, [{ accountId: 'two', otherAccountId: 'one', outcome: 'flagged', allowed: null }]);
  const [{ findingId }] = body.findings as [{ findingId: string }];
  const url = `/v1/duplicates/${findingId}/resolution`;
  t.equal((await http.call(enroller, 'POST', url, { allowed: true })).status, 403);
  t.match((await http.call(analyst, 'POST', url, { allowed: true })).body, { findingId, allowed: true });
  t.same((await http.call(analyst, 'GET', '/v1/duplicates')).body.findings, []);
  t.equal((await http.call(analyst, 'GET', '/v1/duplicates?state=all')).body.findings.length, 1);
  t.equal((await http.call(analyst, 'GET', `/v1/duplicates?state=all&before=${findingId}`)).body.findings.length, 0);
});

void t.test('an enrolment is undone by the key that made it, with the agent’s id', async (t) => {
  const { enrolmentId } = await enrol('three', 5);
  const url = `/v1/enrolments/${enrolmentId}/undo`;
  t.equal((await http.call(enroller, 'POST', url, {})).status, 400);
  t.match(await http.call(otherEnroller, 'POST', url, { agentId: 'a7' }), { status: 403, body: { code: 'forbidden' } });
  t.match(await http.call(enroller, 'POST', url, { agentId: 'a8' }), { status: 403, body: { code: 'proof_refused' } });
  const undone = await http.call(enroller, 'POST', url, { agentId: 'a7' });
  t.same(undone.body, { enrolmentId, voiceprintsErased: 1, restoredVoiceprintIds: [] });
  t.equal((await http.call(enroller, 'GET', `/v1/enrolments/${enrolmentId}`)).body.state, 'undone');
  t.equal((await http.call(enroller, 'GET', '/v1/accounts/three')).body.enrolled, false);
});
