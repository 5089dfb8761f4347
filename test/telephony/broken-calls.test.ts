import type { Worker } from 'node:worker_threads';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import type { TelephonyOptions } from '../../src/telephony/telephony.js';
import { callerCall } from '../audio/made-call.js';
import { goodPin } from '../service/harness.js';
import { until } from '../until.js';
import { enrolCaller, leftCalls, openServed, sameAsFile } from './harness.js';
import { hello, OwnClient } from './own-client.js';

t.setTimeout(240_000);
/** Inference threads: Node.js tells of each, so a test can end one as a crash would. */
const threads = new Set<Worker>();
process.on('worker', (worker) => {
  threads.add(worker);
  worker.on('exit', () => threads.delete(worker));
});
const faults: Parameters<TelephonyOptions['onFault']>[0][] = [];
const served = await openServed(t, { onFault: (facts) => faults.push(facts) });
const { api, base, context, timers } = served;
// The harness's second registry takes no part: it would report the faults made here.
await served.calls.close();
await enrolCaller(served, 'caller', 'zh-f4');
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const sockets = `${base.replace('http', 'ws')}/v1/streams`;

/** A call that was taken, and of which some speech was heard. */
async function begun() {
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
  const client = new OwnClient(body.url as string);
  await client.say(hello);
  const { resumeToken } = await client.until('hello');
  client.hear(own.subarray(0, 24_000));
  await client.until('progress');
  return { client, streamId: body.streamId as string, resumeToken: resumeToken as string };
}
const state = async (streamId: string) => (await api('GET', `/v1/streams/${streamId}`)).body;
const ended = (streamId: string) => until(async () => (await state(streamId)).state === 'ended');
/** A client that goes on with a call. */
async function resuming(resumeToken: string, greeting: object = hello): Promise<OwnClient> {
  const client = new OwnClient(sockets);
  await client.say({ ...greeting, resume: resumeToken });
  return client;
}

void t.test('A peer that vanishes and does not come back: lost, INCONCLUSIVE, and too late to go on', async (t) => {
  const { client, streamId, resumeToken } = await begun();
  client.socket.terminate();
  await leftCalls(served, 1);
  timers.pass(29_000);
  t.equal((await state(streamId)).state, 'live', 'it may come back yet');
  timers.pass(1001);
  await ended(streamId);
  t.match((await state(streamId)).outcome, { kind: 'none', decision: 'INCONCLUSIVE', reasons: [], cause: 'lost' });
  t.equal(await (await resuming(resumeToken)).gone, 4404);
});

void t.test('Of two peers that go on with one call one gets it; while its peer is there nobody does', async (t) => {
  const { client, resumeToken, streamId } = await begun();
  t.equal(await (await resuming(resumeToken)).gone, 4404, 'the first connection stands');
  client.socket.terminate();
  await leftCalls(served, 1);
  const both = [await resuming(resumeToken), await resuming(resumeToken)];
  const refused = await Promise.race(both.map(async (one) => ((await one.gone) === 4404 ? one : null)));
  const got = both.find((one) => one !== refused);
  const { takenSeconds } = (await got?.until('hello')) ?? {};
  got?.hear(own.subarray(Math.round(8000 * (takenSeconds as number))));
  await got?.say({ type: 'end' });
  const verdict = await got?.until('verdict');
  t.equal(verdict?.decision, 'ACCEPT');
  await sameAsFile(t, served, verdict, own);
  t.match((await state(streamId)).outcome, { kind: 'verdict', decision: 'ACCEPT' });
  t.equal(await (await resuming(resumeToken)).gone, 4404, 'after the end');
});

void t.test('A connection that died without a word is given up for the peer that goes on with its call', async (t) => {
  const { client, resumeToken, streamId } = await begun();
  await client.taken();
  timers.pass(1900);
  t.equal(await (await resuming(resumeToken)).gone, 4404, 'it spoke a moment ago');
  timers.pass(101);
  const again = await resuming(resumeToken);
  const { takenSeconds } = await again.until('hello');
  t.equal(await client.gone, 1000);
  t.match(client.messages.at(-1), { type: 'closed', reason: 'replaced' });
  again.hear(own.subarray(Math.round(8000 * (takenSeconds as number))));
  await again.say({ type: 'end' });
  const verdict = await again.until('verdict');
  await sameAsFile(t, served, verdict, own);
  t.match((await state(streamId)).outcome, { kind: 'verdict', decision: 'ACCEPT' });
});

void t.test('Who goes on in another format is refused, and the call fails', async (t) => {
  const { client, resumeToken, streamId } = await begun();
  client.socket.terminate();
  await leftCalls(served, 1);
  const other = await resuming(resumeToken, { ...hello, encoding: 'mulaw' });
  t.equal(await other.gone, 1011);
  t.match(
    other.messages.find(({ type }) => type === 'error'),
    { code: 'invalid_request', hint: /l16-le at 8000 Hz/ },
  );
  await ended(streamId);
  t.match((await state(streamId)).outcome, { kind: 'none', cause: 'failed' });
});

void t.test('A peer that says the end and vanishes has its verdict all the same', async (t) => {
  const { client, streamId } = await begun();
  client.hear(own.subarray(24_000));
  await client.say({ type: 'end' });
  await client.taken();
  client.socket.terminate();
  await ended(streamId);
  t.match((await state(streamId)).outcome, { kind: 'verdict', decision: 'ACCEPT' });
});

void t.test(
  'The database is gone when the verdict is to be stored: nobody is told a verdict, INCONCLUSIVE afterwards',
  async (t) => {
    const { store } = context;
    const transaction = store.transaction.bind(store);
    const { client, streamId } = await begun();
    store.transaction = () =>
      Promise.reject(new VoicegateError('database_unavailable', 'The database does not answer'));
    faults.length = 0;
    client.hear(own.subarray(24_000));
    await client.say({ type: 'end' });
    t.equal(await client.gone, 1011);
    t.notOk(client.messages.some(({ type }) => type === 'verdict'));
    t.match(client.messages.slice(-2), [
      { type: 'error', code: 'database_unavailable' },
      { type: 'closed', reason: 'failed' },
    ]);
    await until(() => faults.length > 0);
    t.match(faults, [{ code: 'database_unavailable' }], 'the operator is told');
    store.transaction = transaction;
    t.equal((await state(streamId)).state, 'live', 'the store does not know');
    // The lease is renewed by nobody.
    served.wait(31);
    timers.pass(10_000);
    await ended(streamId);
    t.match((await state(streamId)).outcome, { kind: 'none', decision: 'INCONCLUSIVE', cause: 'node_lost' });
  },
);

void t.test('The database is gone for a while in mid-call: who needs no verdict meanwhile is not harmed', async (t) => {
  const { store } = context;
  const transaction = store.transaction.bind(store);
  const { client, streamId } = await begun();
  store.transaction = () => Promise.reject(new VoicegateError('database_unavailable', 'The database does not answer'));
  timers.pass(10_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  store.transaction = transaction;
  client.hear(own.subarray(24_000));
  await client.say({ type: 'end' });
  t.match(await client.until('verdict'), { decision: 'ACCEPT' });
  await client.gone;
  t.match((await state(streamId)).outcome, { kind: 'verdict', decision: 'ACCEPT' });
});

void t.test('The inference workers crash in mid-call: an error, INCONCLUSIVE; the next call is heard', async (t) => {
  const { client, streamId } = await begun();
  // Threads throw at a message they do not know; what is sent to them after it is lost.
  for (const thread of threads) thread.postMessage({ kind: 'nonsense' });
  client.hear(own.subarray(24_000));
  t.equal(await client.gone, 1011);
  t.match(client.messages.slice(-2), [
    { type: 'error', code: 'inference_failed' },
    { type: 'closed', reason: 'failed' },
  ]);
  await ended(streamId);
  t.match((await state(streamId)).outcome, { kind: 'none', decision: 'INCONCLUSIVE', cause: 'failed' });
  const next = await begun();
  next.client.hear(own.subarray(24_000));
  await next.client.say({ type: 'end' });
  t.match(await next.client.until('verdict'), { decision: 'ACCEPT' });
});

void t.test('Nothing is left of any of these calls', async (t) => {
  await until(() => served.telephony.calls.count === 0);
  await until(() => served.telephony.connections === 0);
  t.equal(timers.pending, 1, 'the renewal of leases: nothing else waits');
});
