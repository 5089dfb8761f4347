import { mock } from 'node:test';
import t from 'tap';
import { revokeApiKey } from '../../src/service/api-keys.js';
import type { Role } from '../../src/service/ports.js';
import { tidy } from '../../src/service/maintenance.js';
import { openHttp, type HttpHarness } from './harness.js';

const http = await openHttp(t);
const own = { origin: 'http://localhost' };
type Headers = Record<string, string>;

const cookieOf = (headers: Record<string, unknown>): string => String(headers['set-cookie']).split(';')[0] ?? '';

async function signedIn(roles: readonly Role[], { call, key }: HttpHarness = http, headers: Headers = own) {
  const apiKey = await key(roles);
  const made = await call(null, 'POST', '/v1/session', { apiKey }, headers);
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return { ...made, apiKey, cookie: cookieOf(made.headers) };
}

const ask = (cookie: string, headers: Headers = {}) =>
  http.call(null, 'GET', '/v1/session', undefined, { cookie, ...headers });

void t.test('A page signs in with its key once; the cookie then does what the key’s roles allow', async (t) => {
  const { cookie, headers, body, apiKey } = await signedIn(['enroller']);
  t.match(String(headers['set-cookie']), /^voicegate=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  t.match(body, { label: 'test', roles: ['enroller'], answer: 'full' });
  t.equal(headers['cache-control'], 'no-store');
  t.match(await ask(cookie), { status: 200, body, headers: { 'cache-control': 'no-store' } });
  t.equal((await http.call(null, 'PUT', '/v1/accounts/page-1', undefined, { cookie, ...own })).status, 201);
  t.equal(
    (await http.call(null, 'GET', '/v1/accounts/page-1', undefined, { cookie: `other=1; ${cookie}` })).status,
    200,
  );
  t.match(await http.call(null, 'GET', '/v1/keys', undefined, { cookie }), {
    status: 403,
    body: { code: 'forbidden' },
  });
  t.match(await http.call(apiKey, 'GET', '/v1/session'), { status: 200, body: { keyId: body.keyId, expiresAt: null } });
  t.notMatch(http.logged(), apiKey);
  t.notMatch(http.logged(), cookie.split('=')[1] ?? '');
});

void t.test('A key that is sent is what counts, also when it is wrong', async (t) => {
  const { cookie } = await signedIn(['enroller']);
  t.equal((await ask(cookie, { authorization: 'Bearer vg_wrong' })).status, 401);
});

void t.test('Signing out ends the session for good, and clears the cookie', async (t) => {
  const { cookie } = await signedIn(['verifier']);
  const out = await http.call(null, 'DELETE', '/v1/session', undefined, { cookie, ...own });
  t.equal(out.status, 204);
  t.match(String(out.headers['set-cookie']), /^voicegate=; Max-Age=0; Path=\//);
  t.match(await ask(cookie), { status: 401, body: { code: 'unauthenticated' } });
  t.equal((await http.call(null, 'DELETE', '/v1/session', undefined, own)).status, 204, 'also without one');
  const kinds = (await http.call(await http.key(['analyst']), 'GET', '/v1/audit')).body.entries as {
    event: { kind: string };
  }[];
  t.ok(['signed_in', 'signed_out'].every((kind) => kinds.some(({ event }) => event.kind === kind)));
});

void t.test('No other site may sign in, sign out or act with the cookie', async (t) => {
  const { cookie, apiKey } = await signedIn(['enroller']);
  const foreign: readonly Headers[] = [
    { origin: 'https://elsewhere.example' },
    { origin: 'http://neighbour.localhost', 'sec-fetch-site': 'same-site' },
    { origin: 'http://localhost:8081' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { ...own, 'sec-fetch-site': 'cross-site' },
    {},
  ];
  for (const headers of foreign) {
    for (const answer of [
      await http.call(null, 'POST', '/v1/session', { apiKey }, headers),
      await http.call(null, 'DELETE', '/v1/session', undefined, { cookie, ...headers }),
      await http.call(null, 'PUT', '/v1/accounts/forged', undefined, { cookie, ...headers }),
    ]) {
      t.match(answer, { status: 403, body: { code: 'forbidden' } }, JSON.stringify(headers));
      t.notOk(answer.headers['set-cookie']);
    }
  }
  for (const site of ['cross-site', 'same-site']) t.equal((await ask(cookie, { 'sec-fetch-site': site })).status, 403);
  for (const site of ['same-origin', 'none']) t.equal((await ask(cookie, { 'sec-fetch-site': site })).status, 200);
  t.equal((await http.call(null, 'GET', '/v1/accounts/forged', undefined, { cookie })).status, 404, 'nothing was made');
  const sameOrigin = { cookie, 'sec-fetch-site': 'same-origin' };
  t.equal((await http.call(null, 'PUT', '/v1/accounts/page-2', undefined, sameOrigin)).status, 201);
});

void t.test('A form of another site cannot sign in: only JSON is taken', async (t) => {
  const payload = `{"apiKey":"${await http.key(['verifier'])}"}`;
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    const headers = { 'content-type': type, ...own };
    const { statusCode } = await http.app.inject({ method: 'POST', url: '/v1/session', payload, headers });
    t.equal(statusCode, 415);
  }
});

void t.test(
  'A token of the page’s choice is never taken over, and signing in again ends the session before',
  async (t) => {
    const chosen = `voicegate=${'A'.repeat(43)}`;
    t.equal((await ask(chosen)).status, 401, 'forged');
    t.equal((await ask('voicegate=short')).status, 401);
    t.equal((await ask('voicegate')).status, 401);
    const first = await signedIn(['verifier'], http, { ...own, cookie: chosen });
    t.not(first.cookie, chosen);
    t.equal((await ask(chosen)).status, 401);
    const second = await signedIn(['verifier'], http, { ...own, cookie: first.cookie });
    t.equal((await ask(first.cookie)).status, 401);
    t.equal((await ask(second.cookie)).status, 200);
  },
);

void t.test('A session ends with its key, at once', async (t) => {
  const { cookie, body } = await signedIn(['verifier']);
  t.equal((await ask(cookie)).status, 200);
  await revokeApiKey(http.context, http.full, body.keyId as string);
  t.equal((await ask(cookie)).status, 401);
});

void t.test('A session ends after half an hour without a request, and after eight hours in any case', async (t) => {
  const idle = await signedIn(['verifier']);
  http.wait(29 * 60);
  t.equal((await ask(idle.cookie)).status, 200);
  http.wait(30 * 60);
  t.equal((await ask(idle.cookie)).status, 401);
  const shift = await signedIn(['verifier']);
  for (let hours = 0; hours < 7.75; hours += 0.25) {
    http.wait(900);
    t.equal((await ask(shift.cookie)).status, 200);
  }
  http.wait(600);
  t.equal((await ask(shift.cookie)).status, 200);
  http.wait(300);
  t.equal((await ask(shift.cookie)).status, 401);
  t.ok((await tidy(http.context)) > 0);
});

void t.test('Guessing keys is slowed down by address; who signs in rightly is not counted', async (t) => {
  const http = await openHttp(t);
  for (let agent = 0; agent < 25; agent++) await signedIn(['verifier'], http);
  const guess = (apiKey: string) => http.call(null, 'POST', '/v1/session', { apiKey }, own);
  for (let tries = 0; tries < 20; tries++) {
    t.match(await guess('vg_0123456789abcdef_'), { status: 401, body: { code: 'unauthenticated' } });
  }
  const refused = await guess(await http.key(['verifier']));
  t.match(refused, { status: 429, body: { code: 'rate_limited' } });
  t.ok(Number(refused.headers['retry-after']) > 0);
});

void t.test('Behind a proxy the public address decides on cookie, Origin and stream addresses', async (t) => {
  const http = await openHttp(t, { publicUrl: 'https://Voice.example:443' });
  const page = { origin: 'https://voice.example' };
  const { cookie, headers } = await signedIn(['verifier'], http, page);
  t.match(String(headers['set-cookie']), /^__Host-voicegate=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  const plain = cookie.replace('__Host-', '');
  t.equal((await http.call(null, 'GET', '/v1/session', undefined, { cookie: plain })).status, 401, 'set without TLS');
  const apiKey = await http.key(['verifier']);
  t.equal((await http.call(null, 'POST', '/v1/session', { apiKey }, own)).status, 403, 'past the proxy');
  const { accountId } = { accountId: 'behind' };
  await http.call(await http.key(['enroller']), 'PUT', `/v1/accounts/${accountId}`);
  const body = { mode: 'passive', accountId };
  const stream = await http.call(null, 'POST', '/v1/streams', body, { cookie, ...page });
  t.match(stream.body.url, /^wss:\/\/voice\.example\/v1\/streams\?token=/);
});

void t.test('Without a public address a trusted proxy’s headers say it, and nobody else’s', async (t) => {
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'voice.example' };
  const page = { origin: 'https://voice.example', ...forwarded };
  const trusting = await openHttp(t, { trustProxy: true });
  t.match((await signedIn(['verifier'], trusting, page)).cookie, /^__Host-voicegate=/);
  const apiKey = await http.key(['verifier']);
  t.equal((await http.call(null, 'POST', '/v1/session', { apiKey }, page)).status, 403);
});

void t.test('Events of a call are told to a signed-in page, until it is signed out', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { cookie } = await signedIn(['enroller', 'verifier']);
  await http.call(null, 'PUT', '/v1/accounts/page-3', undefined, { cookie, ...own });
  const body = { mode: 'passive', accountId: 'page-3' };
  const { streamId } = (await http.call(null, 'POST', '/v1/streams', body, { cookie, ...own })).body;
  const url = `/v1/streams/${String(streamId)}/events`;
  const events = http.app.inject({ method: 'GET', url, headers: { cookie } });
  let ended = false;
  void events.then(() => (ended = true));
  const heartbeat = async () => {
    mock.timers.tick(15_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
  };
  await new Promise((resolve) => setTimeout(resolve, 300));
  await heartbeat();
  t.notOk(ended);
  await http.call(null, 'DELETE', '/v1/session', undefined, { cookie, ...own });
  await heartbeat();
  t.match(await events, { statusCode: 200, headers: { 'content-type': 'text/event-stream' } });
});
