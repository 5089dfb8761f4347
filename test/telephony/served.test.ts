import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { createApiKey } from '../../src/service/api-keys.js';
import { callerCall } from '../audio/made-call.js';
import { goodPin } from '../service/harness.js';
import { until } from '../until.js';
import { enrolCaller, eventsOf, leftCalls, openServed, sameAsFile } from './harness.js';
import { hello, OwnClient } from './own-client.js';

t.setTimeout(240_000);
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);

/** A desktop that takes webhooks; refuses the first delivery of each kind. */
const delivered: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
const refusedOnce = new Set<string>();
const desktop = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const { event } = JSON.parse(body) as { event: string };
    if (!refusedOnce.has(event)) {
      refusedOnce.add(event);
      response.writeHead(503).end();
      return;
    }
    delivered.push({ headers: request.headers, body });
    response.writeHead(204).end();
  });
});
await new Promise<void>((resolve) => desktop.listen(0, '127.0.0.1', resolve));
t.teardown(() => void desktop.close());
const desktopHost = `127.0.0.1:${(desktop.address() as AddressInfo).port}`;

const served = await openServed(t, { maxCalls: 2, eventHosts: [desktopHost] });
const { api, base, context, full } = served;
await enrolCaller(served, 'caller', 'zh-f4');
const passive = { mode: 'passive', accountId: 'caller', pin: goodPin };

void t.test('A call over HTTP and WebSocket: registered, heard, told as events and webhooks', async (t) => {
  const made = await api('POST', '/v1/streams', { ...passive, eventsUrl: `http://${desktopHost}/events` });
  t.equal(made.status, 201);
  const { streamId, url, token, eventsSecret } = made.body as Record<string, string>;
  t.equal(url, `${base.replace('http', 'ws')}/v1/streams?token=${token}`);
  t.equal((await api('GET', `/v1/streams/${streamId}`)).body.state, 'registered');

  const client = new OwnClient(url ?? '');
  await client.say(hello);
  const greeting = await client.until('hello');
  t.match(greeting, { streamId, mode: 'passive', takenSeconds: 0 });
  t.match(client.socket.extensions, /permessage-deflate/);
  const told = eventsOf(served, streamId ?? '');
  client.hear(own);
  await client.say({ type: 'end' });
  t.equal(await client.gone, 1000);
  const verdict = client.messages.find(({ type }) => type === 'verdict');
  t.match(verdict, { decision: 'ACCEPT', reasons: [] });
  await sameAsFile(t, served, verdict, own);
  t.ok(client.messages.some(({ type }) => type === 'interim'));
  t.equal(client.messages.at(-1)?.type, 'closed');

  const events = await told;
  t.match(events.find(({ name }) => name === 'verdict')?.data, { decision: 'ACCEPT', streamId });
  t.equal(events.at(-1)?.name, 'closed');
  t.match((await api('GET', `/v1/streams/${streamId}`)).body, {
    state: 'ended',
    outcome: { kind: 'verdict', decision: 'ACCEPT' },
  });

  await until(() => delivered.some(({ body }) => body.includes('"closed"')));
  const names = delivered.map(({ body }) => (JSON.parse(body) as { event: string }).event);
  t.same(
    [names.includes('interim'), names.includes('verdict'), names.at(-1)],
    [true, true, 'closed'],
    'tried again after a refusal',
  );
  for (const { headers, body } of delivered) {
    const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['voicegate-signature'])) ?? [];
    t.equal(
      createHmac('sha256', eventsSecret ?? '')
        .update(`${at}.${body}`)
        .digest('hex'),
      signature,
    );
    t.ok(Math.abs(Number(at) - Date.now() / 1000) < 60);
  }
});

void t.test('A broken connection goes on with its resume token', async (t) => {
  const { body } = await api('POST', '/v1/streams', passive);
  const first = new OwnClient(body.url as string);
  await first.say(hello);
  const { resumeToken } = await first.until('hello');
  first.hear(own.subarray(0, 24_000));
  await first.until('progress');
  first.socket.terminate();
  await leftCalls(served, 1);
  const metrics = await (await fetch(`${base}/metrics`)).text();
  t.match(metrics, /^voicegate_live_calls 1\n/m);
  t.match(metrics, /^voicegate_live_calls_left 1\n/m);
  const again = new OwnClient(`${base.replace('http', 'ws')}/v1/streams`);
  await again.say({ ...hello, resume: resumeToken });
  const { takenSeconds } = await again.until('hello');
  t.ok(takenSeconds > 0 && takenSeconds <= 3);
  again.hear(own.subarray(Math.round(8000 * (takenSeconds as number))));
  await again.say({ type: 'end' });
  t.match(await again.until('verdict'), { decision: 'ACCEPT' });
  t.equal(await again.gone, 1000);
});

void t.test('What is wrong is said and closed with its code; the token stays good until its call begins', async (t) => {
  const { body } = await api('POST', '/v1/streams', passive);
  const address = body.url as string;
  const wrong = async (say: (client: OwnClient) => Promise<void> | void, url = address) => {
    const client = new OwnClient(url);
    await new Promise((resolve) => client.socket.on('open', resolve));
    await say(client);
    return [await client.gone, client.messages.at(-1)?.code] as const;
  };
  t.same(await wrong((client) => client.socket.send('no JSON')), [4400, 'invalid_request']);
  t.same(await wrong((client) => client.say({ ...hello, channels: [] })), [4400, 'invalid_request']);
  t.same(await wrong((client) => client.say({ type: 'end' })), [4400, 'invalid_request']);
  t.same(await wrong((client) => client.socket.send(Buffer.alloc(10))), [4400, 'invalid_request']);
  t.same(await wrong((client) => client.say(hello), address.replace(/token=.*/, 'token=wrong')), [
    4404,
    'stream_unknown',
  ]);
  t.same((await wrong((client) => client.socket.send(Buffer.alloc(2 ** 21))))[0], 1009, 'a message that is too large');
  const client = new OwnClient(address);
  await client.say(hello);
  await client.until('hello');
  await client.say({ type: 'end' });
  t.match(await client.until('verdict'), { decision: 'INCONCLUSIVE' });
  t.same(await wrong((other) => other.say(hello)), [4404, 'stream_unknown'], 'used');
});

void t.test('Overload refuses new calls with busy and leaves the others alone', async (t) => {
  const clients = [];
  const spare = await api('POST', '/v1/streams', passive);
  for (let n = 0; n < 2; n++) {
    const { body } = await api('POST', '/v1/streams', passive);
    const client = new OwnClient(body.url as string);
    await client.say(hello);
    await client.until('hello');
    clients.push(client);
  }
  const refused = await api('POST', '/v1/streams', passive);
  t.match(refused, { status: 503, body: { code: 'busy', retryAfterSeconds: 5 } });
  const third = new OwnClient(spare.body.url as string);
  await third.say(hello);
  t.equal(await third.gone, 1013);
  for (const client of clients) {
    client.hear(own);
    await client.say({ type: 'end' });
    t.match(await client.until('verdict'), { decision: 'ACCEPT' });
    await client.gone;
  }
});

void t.test('Events go to public https hosts and to those allowed, to no other', async (t) => {
  for (const eventsUrl of [
    'http://example.com/',
    'https://127.0.0.1/',
    'https://10.1.2.3/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://0x7f.1/',
    'https://localhost/',
    'https://user:secret@example.com/',
    'ftp://example.com/',
    'nonsense',
  ]) {
    t.match(
      await api('POST', '/v1/streams', { ...passive, eventsUrl }),
      { status: 422, body: { code: 'stream_address_refused' } },
      eventsUrl,
    );
  }
});

void t.test('Streams are seen by the key that made them, and need their role', async (t) => {
  const { body } = await api('POST', '/v1/streams', passive);
  const other = (await createApiKey(context, full, { label: 'x', roles: ['verifier'], answer: 'full' })).apiKey;
  const seen = await fetch(`${base}/v1/streams/${body.streamId as string}`, {
    headers: { authorization: `Bearer ${other}` },
  });
  t.equal(seen.status, 404);
  const enrol = await fetch(`${base}/v1/streams`, {
    method: 'POST',
    headers: { authorization: `Bearer ${other}`, 'content-type': 'application/json' },
    body: JSON.stringify({ mode: 'enrolment', enrolmentId: `enr_${'0'.repeat(32)}` }),
  });
  t.equal(enrol.status, 403);
});

void t.test('An address that is no door is refused before the upgrade', async (t) => {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/v1/elsewhere`);
  const status = await new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('error', () => undefined);
  });
  t.equal(status, 404);
});
