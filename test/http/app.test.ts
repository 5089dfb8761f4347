import t from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { enrolled, goodPin, otherPin, recording } from '../service/harness.js';
import { formOf, openHttp } from './harness.js';

const http = await openHttp(t);
const { call } = http;
const admin = await http.key(['admin']);
const desk = await http.key(['enroller']);
const ivr = await http.key(['verifier']);
const opaque = await http.key(['verifier'], 'opaque');
const analyst = await http.key(['analyst']);
const speech = (voice: number) => recording({ voice, blur: 0.1 }).bytes as Buffer;
const jsonAudio = (voice: number) => ({ content: speech(voice).toString('base64'), contentType: 'audio/wav' });

void t.test('the whole story over HTTP: account, consent, PIN, enrolment, challenge, verification', async (t) => {
  t.equal((await call(desk, 'PUT', '/v1/accounts/c-1')).status, 201);
  t.equal((await call(desk, 'PUT', '/v1/accounts/c-1')).status, 200);
  const consent = { purpose: 'authentication', textVersion: '3', channel: 'ivr', evidenceReference: 'call-77' };
  t.equal((await call(desk, 'POST', '/v1/accounts/c-1/consents', consent)).status, 201);
  t.equal((await call(desk, 'PUT', '/v1/accounts/c-1/pin', { pin: goodPin })).status, 200);
  const enrolment = await call(desk, 'POST', '/v1/accounts/c-1/enrolments', { pin: goodPin, language: 'zh' });
  t.equal(enrolment.status, 201);
  const path = `/v1/enrolments/${String(enrolment.body.enrolmentId)}`;
  const byJson = await call(desk, 'POST', `${path}/utterances`, { audio: jsonAudio(1) });
  t.match(byJson, { status: 200, body: { accepted: true, progress: { utterances: 1, complete: false } } });
  const form = formOf({}, [{ name: 'audio', content: speech(1), type: 'audio/wav' }]);
  const byForm = await http.app.inject({
    method: 'POST',
    url: `${path}/utterances`,
    payload: form.payload,
    headers: { ...form.headers, authorization: `Bearer ${desk}` },
  });
  t.match(byForm.json(), { accepted: true });
  const raw = await call(desk, 'POST', `${path}/utterances`, speech(1), { 'content-type': 'audio/PCMU' });
  t.match(raw.body, { accepted: true, progress: { complete: true } });
  t.match(await call(desk, 'GET', path), { body: { state: 'open', progress: { utterances: 3 } } });
  t.match(await call(desk, 'POST', `${path}/complete`), { status: 201, body: { supersedes: null } });

  const challenge = await call(ivr, 'POST', '/v1/accounts/c-1/challenges', { language: 'en', lineNumber: '1380' });
  t.equal(challenge.status, 201);
  t.match(challenge.body.digits, /^[0-9]{8}$/);
  const verdict = await call(ivr, 'POST', '/v1/verifications', {
    accountId: 'c-1',
    challengeId: challenge.body.challengeId,
    audio: jsonAudio(1),
    pin: goodPin,
    tier: 'low',
    lineNumber: '1380',
    callId: 'call-78',
  });
  t.match(verdict, { status: 200, body: { decision: 'ACCEPT', reasons: [], tier: 'low', nextChallenge: null } });
  t.ok(verdict.body.evidence.voice.llr > 0);
  const record = await call(analyst, 'GET', `/v1/verifications/${String(verdict.body.verificationId)}`);
  t.match(record.body, { decision: 'ACCEPT', accountId: 'c-1' });
  t.equal((await call(desk, 'DELETE', '/v1/accounts/c-1')).status, 204);
  t.match(await call(desk, 'GET', '/v1/accounts/c-1'), { status: 404, body: { code: 'account_unknown' } });
});

void t.test('an opaque key sees the decision and nothing else, the same for known and unknown accounts', async (t) => {
  await enrolled(http, 'c-2', 1);
  const keys = [];
  for (const accountId of ['c-2', 'never-heard-of']) {
    const challenge = await call(opaque, 'POST', `/v1/accounts/${accountId}/challenges`, {});
    t.equal(challenge.status, 201);
    const body = {
      accountId,
      challengeId: challenge.body.challengeId,
      audio: jsonAudio(7),
      pin: otherPin,
      tier: 'standard',
    };
    const verdict = await call(opaque, 'POST', '/v1/verifications', body);
    t.equal(verdict.body.decision, 'REJECT');
    keys.push(Object.keys(verdict.body).sort().join());
    const again = await call(opaque, 'GET', `/v1/verifications/${String(verdict.body.verificationId)}`);
    t.same(Object.keys(again.body).sort(), ['decision', 'nextChallenge', 'verificationId']);
  }
  t.same(keys, Array(2).fill('decision,nextChallenge,verificationId'));
});

void t.test('keys: made, listed without secrets, rotated, revoked', async (t) => {
  const made = await call(admin, 'POST', '/v1/keys', { label: 'IVR two', roles: ['verifier'], answer: 'opaque' });
  t.equal(made.status, 201);
  const second = String(made.body.apiKey);
  t.equal((await call(second, 'POST', '/v1/accounts/x/challenges', {})).status, 201);
  const list = await call(admin, 'GET', '/v1/keys');
  t.notMatch(JSON.stringify(list.body), second.slice(-43));
  const rotated = await call(admin, 'POST', `/v1/keys/${String(made.body.keyId)}/rotate`);
  t.equal((await call(second, 'POST', '/v1/accounts/x/challenges', {})).status, 401);
  const third = String(rotated.body.apiKey);
  t.equal((await call(third, 'POST', '/v1/accounts/x/challenges', {})).status, 201);
  t.equal((await call(admin, 'DELETE', `/v1/keys/${String(rotated.body.keyId)}`)).status, 204);
  t.equal((await call(third, 'POST', '/v1/accounts/x/challenges', {})).status, 401);
  t.equal((await call(admin, 'DELETE', '/v1/keys/0000000000000000')).status, 404);
});

void t.test('each role may do its own and no more', async (t) => {
  const table: [string, 'GET' | 'PUT' | 'POST' | 'DELETE', string, number][] = [
    [ivr, 'PUT', '/v1/accounts/r-1', 403],
    [ivr, 'GET', '/v1/audit', 403],
    [ivr, 'GET', '/v1/keys', 403],
    [desk, 'POST', '/v1/accounts/r-1/challenges', 403],
    [desk, 'GET', '/v1/policies', 403],
    [analyst, 'GET', '/v1/audit', 200],
    [analyst, 'GET', '/v1/policies', 200],
    [analyst, 'PUT', '/v1/policies', 403],
    [analyst, 'DELETE', '/v1/accounts/r-1', 403],
    [admin, 'POST', '/v1/accounts/r-1/challenges', 403],
    [admin, 'GET', '/v1/keys', 200],
  ];
  for (const [key, method, url, status] of table) {
    t.equal((await call(key, method, url)).status, status, `${method} ${url}`);
  }
  for (const bad of [
    null,
    'vg_x',
    `${ivr.slice(0, -1)}${ivr.endsWith('A') ? 'B' : 'A'}`,
    'vg_0000000000000000_'.padEnd(63, 'A'),
  ]) {
    const answer = await call(bad, 'GET', '/v1/audit');
    t.match(answer, { status: 401, body: { code: 'unauthenticated' } });
  }
});

void t.test('another tenant’s key sees nothing of ours', async (t) => {
  await http.context.store.createTenant({ tenantId: 'rival', name: 'Rival', createdAt: new Date() });
  const theirs = await http.key(['enroller', 'verifier', 'analyst', 'admin'], 'full', 'rival');
  await enrolled(http, 'c-3', 1);
  const ours = await call(ivr, 'POST', '/v1/accounts/c-3/challenges', {});
  t.equal((await call(theirs, 'GET', '/v1/accounts/c-3')).status, 404);
  t.equal(
    (await call(theirs, 'GET', '/v1/audit')).body.entries.some((entry: { event: { kind: string } }) =>
      entry.event.kind.startsWith('voiceprint'),
    ),
    false,
  );
  await call(theirs, 'PUT', '/v1/accounts/c-3');
  const stolen = await call(theirs, 'POST', '/v1/verifications', {
    accountId: 'c-3',
    challengeId: ours.body.challengeId,
    audio: jsonAudio(1),
    tier: 'low',
  });
  t.match(stolen.body, { decision: 'STEP_UP', reasons: ['NOT_ENROLLED'] });
  const mine = await call(ivr, 'POST', '/v1/verifications', {
    accountId: 'c-3',
    challengeId: ours.body.challengeId,
    audio: jsonAudio(1),
    pin: goodPin,
    tier: 'low',
  });
  t.equal(mine.body.decision, 'ACCEPT', 'the other tenant did not use our challenge up');
});

void t.test('bad requests are told what is wrong and lose nothing', async (t) => {
  await enrolled(http, 'c-4', 1);
  const { body: challenge } = await call(ivr, 'POST', '/v1/accounts/c-4/challenges', {});
  const good = { accountId: 'c-4', challengeId: challenge.challengeId, audio: jsonAudio(1), pin: goodPin, tier: 'low' };
  const without = (field: string): object =>
    Object.fromEntries(Object.entries(good).filter(([name]) => name !== field));
  const table: [string, unknown, number, string][] = [
    ['no account', without('accountId'), 400, 'invalid_request'],
    ['no audio', without('audio'), 400, 'invalid_request'],
    ['unknown field', { ...good, speaker: 'x' }, 400, 'invalid_request'],
    ['unknown tier', { ...good, tier: 'highest' }, 400, 'invalid_request'],
    ['account with a slash', { ...good, accountId: 'a/b' }, 400, 'invalid_request'],
    ['account too long', { ...good, accountId: 'a'.repeat(129) }, 400, 'invalid_request'],
    ['PIN as number', { ...good, pin: 730529 }, 400, 'invalid_request'],
    ['PIN with letters', { ...good, pin: '73052x' }, 400, 'invalid_request'],
    ['control character', { ...good, callId: 'a\u0000b' }, 400, 'invalid_request'],
    ['not base64', { ...good, audio: { content: '!!!!' } }, 400, 'invalid_request'],
    ['third channel', { ...good, audio: { ...jsonAudio(1), channel: 2 } }, 400, 'invalid_request'],
    ['unknown continues', { ...good, continues: `ver_${'0'.repeat(32)}` }, 404, 'verification_unknown'],
    ['body of an array', [], 400, 'invalid_request'],
    ['too large', { ...good, audio: { content: 'A'.repeat(300_000) } }, 413, 'audio_too_large'],
  ];
  for (const [what, body, status, code] of table) {
    const answer = await call(ivr, 'POST', '/v1/verifications', body);
    t.match(answer, { status, body: { code, status } }, what);
    t.match(answer.headers['content-type'], 'application/problem+json', what);
  }
  const texts: [string, string, string, number][] = [
    ['broken JSON', '{"accountId":', 'application/json', 400],
    ['empty JSON', '', 'application/json', 400],
    ['prototype', '{"__proto__":{"a":1}}', 'application/json', 400],
    ['XML', '<a/>', 'text/xml', 415],
    ['a form without parts', '--x--\r\n', 'multipart/form-data; boundary=x', 400],
    ['a form without boundary', 'x', 'multipart/form-data', 400],
    ['a cut form', '--x\r\ncontent-disposition: form-data; name="audio"', 'multipart/form-data; boundary=x', 400],
  ];
  for (const [what, payload, type, status] of texts) {
    const answer = await http.app.inject({
      method: 'POST',
      url: '/v1/verifications',
      payload,
      headers: { 'content-type': type, authorization: `Bearer ${ivr}` },
    });
    t.equal(answer.statusCode, status, what);
    t.ok(answer.json<{ code?: string }>().code, what);
  }
  const last = await call(ivr, 'POST', '/v1/verifications', good);
  t.equal(last.body.decision, 'ACCEPT', 'the challenge survived all of that');
});

void t.test('policies: stored, refused with the field named, activated', async (t) => {
  const stored = await call(admin, 'PUT', '/v1/policies', { ...defaultPolicy, name: 'stricter' });
  t.match(stored, { status: 201, body: { active: false } });
  const version = Number(stored.body.version);
  const bad = await call(admin, 'PUT', '/v1/policies', { ...defaultPolicy, newVoiceprintHours: -1 });
  t.match(bad, { status: 422, body: { code: 'policy_invalid', details: { field: 'newVoiceprintHours' } } });
  t.match(await call(admin, 'POST', `/v1/policies/${version}/activate`), { body: { active: true } });
  t.equal((await call(admin, 'POST', '/v1/policies/999/activate')).status, 404);
  const list = await call(analyst, 'GET', '/v1/policies');
  t.equal(list.body.policies.filter((policy: { active: boolean }) => policy.active).length, 1);
});

void t.test('a STEP_UP is ended once; a label may be given to any call', async (t) => {
  await enrolled(http, 'c-5', 1);
  const { body: challenge } = await call(ivr, 'POST', '/v1/accounts/c-5/challenges', {});
  const { body } = await call(ivr, 'POST', '/v1/verifications', {
    accountId: 'c-5',
    challengeId: challenge.challengeId,
    audio: jsonAudio(1),
    pin: goodPin,
    tier: 'standard',
  });
  t.equal(body.decision, 'STEP_UP');
  const url = `/v1/verifications/${String(body.verificationId)}/outcome`;
  t.equal((await call(ivr, 'POST', url, {})).status, 400);
  t.equal((await call(ivr, 'POST', url, { factor: 'sms_otp' })).status, 400, 'factor without passed');
  t.match(await call(ivr, 'POST', url, { factor: 'sms_otp', passed: true }), { body: { outcome: { passed: true } } });
  t.equal((await call(ivr, 'POST', url, { factor: 'sms_otp', passed: false })).status, 409);
  t.match(await call(ivr, 'POST', url, { label: 'genuine' }), {
    body: { outcome: { label: 'genuine', passed: true } },
  });
  t.equal((await call(opaque, 'GET', url.replace('/outcome', ''))).status, 404, 'not its own call');
});

void t.test('an idempotency key gives the same answer twice', async (t) => {
  await enrolled(http, 'c-6', 1);
  const { body: challenge } = await call(ivr, 'POST', '/v1/accounts/c-6/challenges', {});
  const body = { accountId: 'c-6', challengeId: challenge.challengeId, audio: jsonAudio(1), pin: goodPin, tier: 'low' };
  const first = await call(ivr, 'POST', '/v1/verifications', body, { 'idempotency-key': 'once' });
  const second = await call(ivr, 'POST', '/v1/verifications', body, { 'idempotency-key': 'once' });
  t.equal(first.body.decision, 'ACCEPT');
  t.same(second.body, first.body);
  const other = await call(ivr, 'POST', '/v1/verifications', { ...body, tier: 'high' }, { 'idempotency-key': 'once' });
  t.match(other, { status: 422, body: { code: 'idempotency_mismatch' } });
});

void t.test('operations answer without a key', async (t) => {
  t.match(await call(null, 'GET', '/healthz'), { status: 200, body: { status: 'alive' } });
  t.match(await call(null, 'GET', '/readyz'), { status: 200, body: { status: 'ready' } });
  t.match((await http.app.inject('/metrics')).body, 'voicegate_http_request_seconds_count');
  const { body: openapi } = await call(null, 'GET', '/openapi.json');
  t.equal(openapi.openapi, '3.1.0');
  for (const path of [
    '/v1/accounts/{accountId}',
    '/v1/verifications',
    '/v1/audit',
    '/v1/policies/{version}/activate',
  ]) {
    t.ok(openapi.paths[path], path);
  }
  t.equal((await http.app.inject('/docs/')).statusCode, 200);
  t.match(await call(null, 'GET', '/nothing/here'), { status: 404, body: { code: 'not_found' } });
});

void t.test('the log carries no PIN, no digits to be spoken, no key and no account', async (t) => {
  const log = http.logged();
  t.match(log, '/v1/verifications');
  for (const secret of [
    goodPin,
    otherPin,
    ivr.slice(20),
    desk.slice(20),
    'c-1',
    speech(1).toString('base64').slice(0, 20),
  ]) {
    t.notMatch(log, secret);
  }
  t.notMatch(log, /"(pin|digits|prompt|vector)"/);
});
