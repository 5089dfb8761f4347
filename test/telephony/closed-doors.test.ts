import { connect, type Socket } from 'node:net';
import t from 'tap';
import { putAccount } from '../../src/service/accounts.js';
import { getStream } from '../../src/service/streams.js';
import { AudioHookClient } from './audiohook-client.js';
import { openLive, openServed } from './harness.js';

t.setTimeout(120_000);

void t.test('A call cannot be registered for a protocol whose door is closed', async (t) => {
  const { api, base } = await openServed(t);
  for (const [protocol, setting] of [
    ['audiosocket', /VOICEGATE_AUDIOSOCKET_PORT/],
    ['audiohook', /VOICEGATE_AUDIOHOOK_KEYS/],
  ] as const) {
    t.match(await api('POST', '/v1/streams', { mode: 'passive', protocol, accountId: 'anyone' }), {
      status: 400,
      body: { code: 'invalid_request', title: new RegExp(protocol), hint: setting },
    });
  }
  const client = new AudioHookClient(base);
  t.equal(await client.admitted, 404);
});

void t.test('A call that is being taken while the service stops ends as the others do', async (t) => {
  const live = await openLive(t);
  const { calls, context, full, timers } = live;
  await putAccount(context, full, 'caller');
  const { token, streamId } = await live.register({ accountId: 'caller' });
  const taken = calls.open('voicegate', token, () => undefined);
  const stopped = calls.close();
  await t.rejects(taken, { code: 'shutting_down' });
  await stopped;
  t.match(await getStream(context, full, streamId), { state: 'ended', outcome: { reasons: ['SERVICE_RESTARTED'] } });
  t.equal(calls.count, 0);
  t.equal(timers.pending, 0);
});

void t.test('An event stream of a call that nobody has taken does not keep the service from stopping', async (t) => {
  const served = await openServed(t);
  const { api, authorization, base } = served;
  await api('PUT', '/v1/accounts/caller', {});
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller' });
  const response = await fetch(`${base}/v1/streams/${body.streamId}/events`, { headers: { authorization } });
  const told = response.text();
  let cutOff = 0;
  // The server cuts off who is silent for long: nobody may have to wait for that.
  served.app.server.on('timeout', (socket: Socket) => {
    cutOff++;
    socket.destroy();
  });
  await served.app.close();
  t.equal(cutOff, 0);
  t.equal(await told, ':\n\n', 'ended, and nothing said of the call');
});

void t.test('A Host that is none is refused before anything is registered', async (t) => {
  const { api, base, authorization } = await openServed(t);
  await api('PUT', '/v1/accounts/caller', {});
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  t.teardown(() => void socket.destroy());
  const body = JSON.stringify({ mode: 'passive', accountId: 'caller' });
  socket.write(
    `POST /v1/streams HTTP/1.1\r\nHost: [x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  while (!answer.endsWith('}')) await new Promise((resolve) => setTimeout(resolve, 10));
  t.match(answer, /^HTTP\/1.1 400 /);
  t.match(answer, /The Host of the request.*"code":"invalid_request"/);
});
