import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { ChunkDecoder } from '../../src/audio/chunk-decoder.js';
import { unlockAccount } from '../../src/service/accounts.js';
import { defaultWsOptions } from '../../src/telephony/ws-doors.js';
import { callerCall, utterance } from '../audio/made-call.js';
import { until } from '../until.js';
import { goodPin } from '../service/harness.js';
import { endedStream, enrolCaller, eventsOf, l16, leftCalls, openServed, sameAsFile } from './harness.js';
import { ForkConnection, forkKinds, type ForkKind } from './media-fork-client.js';
import { StreamConnection, StreamScript } from './media-streams-client.js';

t.setTimeout(240_000);
const basicAuth = 'media:a pass word';
const served = await openServed(t);
const { api, context, full, timers } = served;
await enrolCaller(served, 'caller', 'zh-f4');
t.beforeEach(() => unlockAccount(context, full, 'caller', { agentId: null, reason: null }));
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const other = await callerCall('en-rms', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);

async function registered(kind: ForkKind, changes: object = {}) {
  const { status, body } = await api('POST', '/v1/streams', {
    mode: 'passive',
    accountId: 'caller',
    pin: goodPin,
    protocol: forkKinds[kind].protocol,
    ...changes,
  });
  t.equal(status, 201);
  return body as { readonly streamId: string; readonly url: string; readonly token: string };
}
const stateOf = async (streamId: string) => (await api('GET', `/v1/streams/${streamId}`)).body;
const live = (streamId: string) => until(async () => (await stateOf(streamId)).state === 'live');
/** Two legs of equal length, interleaved. */
function stereo(left: Float32Array, right: Float32Array): Float32Array {
  const both = new Float32Array(2 * Math.min(left.length, right.length));
  for (let n = 0; n < both.length; n++) both[n] = (n % 2 === 0 ? left : right)[n >> 1] ?? 0;
  return both;
}

void t.test(
  'A forked call, however it is cut, has the verdict and scores of the file, and results go back',
  async (t) => {
    for (const [kind, metadata] of [
      ['audioFork', { caller: 'of the operator' }],
      ['audioStream', null],
      ['jambonz', { callSid: 'c0', sampleRate: 8000, mixType: 'mono' }],
    ] as const) {
      const { streamId, url, token } = await registered(kind);
      t.ok(url.endsWith(`/v1/streams/${forkKinds[kind].protocol}/${token}`));
      const connection = new ForkConnection(kind, url);
      await connection.status;
      if (metadata !== null) await connection.say(metadata);
      t.match(connection.socket.extensions, /permessage-deflate/);
      const random = seededRandom(7);
      await connection.hear(l16(own), () => random() ** 4 * 30_000);
      const verdict = await connection.until('verdict');
      t.equal(verdict.decision, 'ACCEPT');
      await sameAsFile(t, served, verdict, own);
      t.same(await connection.gone, { code: 1000, reason: 'completed' });
      const told = connection.relayed.map(({ type }) => type as string);
      t.ok(told.includes('interim') && !told.includes('progress'), kind);
      t.equal(told.at(-1), 'closed');
      const plain = kind === 'audioStream';
      t.equal(connection.types.at(-1), plain ? 'closed' : 'disconnect', 'a media server is told to let go');
      t.equal(connection.types.includes('json'), !plain);
      t.match((await stateOf(streamId)).outcome, { decision: 'ACCEPT' });
    }
  },
);

void t.test('Rate and legs are told by the metadata or the address', async (t) => {
  const decisionWith = async (kind: ForkKind, audio: Uint8Array, metadata: object | string, query = '') => {
    const { streamId, url } = await registered(kind);
    const connection = new ForkConnection(kind, `${url}${query}`);
    await connection.say(metadata);
    await connection.hear(audio, () => 641);
    connection.socket.close(1000);
    return (await eventsOf(served, streamId)).find(({ name }) => name === 'verdict')?.data;
  };
  const agentLeft = l16(stereo(other, own));
  const right = await decisionWith('jambonz', agentLeft, {
    sampleRate: 8000,
    mixType: 'stereo',
    customerChannel: 'right',
  });
  t.equal(right?.decision, 'ACCEPT');
  await sameAsFile(t, served, right, own.subarray(0, agentLeft.length / 4));
  t.equal((await decisionWith('jambonz', agentLeft, { mixType: 'stereo' }))?.decision, 'REJECT', 'left by default');
  const byAddress = await decisionWith('audioFork', agentLeft, 'free text', '?mixType=stereo&customerChannel=right');
  t.equal(byAddress?.decision, 'ACCEPT');

  const wide = new Float32Array(2 * own.length);
  for (let n = 0; n < wide.length; n++) wide[n] = ((own[n >> 1] ?? 0) + (own[(n + 1) >> 1] ?? 0)) / 2;
  const wideBytes = l16(wide);
  const resampler = new ChunkDecoder({ encoding: 'l16-le', sampleRateHz: 16_000, channels: 1 }, 8000);
  const narrow = Float32Array.from([...(resampler.accept(wideBytes)[0] ?? []), ...(resampler.finish()[0] ?? [])]);
  for (const [metadata, query] of [
    [{ sampleRate: '16k' }, '?sampleRate=8000'],
    ['[1]', '?sampleRate=16000'],
  ] as const) {
    const verdict = await decisionWith('audioStream', wideBytes, metadata, query);
    t.equal(verdict?.decision, 'ACCEPT');
    await sameAsFile(t, served, verdict, narrow);
  }
  const wrong = await decisionWith('audioStream', wideBytes, { sampleRate: 8000 });
  t.not(wrong?.decision, 'ACCEPT', 'a wrong rate is not accepted by accident');
});

void t.test('Metadata that cannot be meant is refused with a reason; the call can still come', async (t) => {
  const { url } = await registered('audioFork');
  for (const metadata of [
    { sampleRate: 'fast' },
    { sampleRate: 1 },
    { sampleRate: { toString: 1 } },
    { sampleRate: [8000] },
    { mixType: 'both' },
    { mixType: { valueOf: 'stereo' } },
    { mixType: 'stereo', customerChannel: 'caller' },
  ]) {
    const connection = new ForkConnection('audioFork', url);
    await connection.say(metadata);
    t.same(await connection.gone, { code: 4400, reason: 'invalid_request' }, JSON.stringify(metadata));
    t.match(connection.relayed, [{ type: 'error', code: 'invalid_request', hint: /^It is/ }]);
  }
  for (const text of ['['.repeat(300_000), '{"__proto__":{"mixType":"both"},"sampleRate":null}']) {
    const { url: fresh } = await registered('audioFork');
    const connection = new ForkConnection('audioFork', fresh);
    await connection.say(text);
    await connection.hear(l16(own));
    t.equal((await connection.until('verdict')).decision, 'ACCEPT', text.slice(0, 20));
  }
  const huge = new ForkConnection('audioFork', url);
  await huge.hear(new Uint8Array(2 ** 20 + 1), () => 2 ** 21);
  t.equal((await huge.gone).code, 1009);
});

void t.test('Text in the middle: keys, a pause, an end; the operator’s own is let through', async (t) => {
  const said = l16(await utterance('zh-f4', 'verify-2'));
  const { url } = await registered('jambonz', { mode: 'active' });
  const connection = new ForkConnection('jambonz', url);
  await connection.say({ sampleRate: 8000, mixType: 'mono' });
  await connection.hear(said);
  await connection.say({ event: 'dtmf', dtmf: '12' }, { event: 'dtmf' }, 'hello', { event: 'playDone' });
  await connection.say({ event: 'dtmf', dtmf: '#', duration: '1600' });
  t.match((await connection.until('verdict')).decision, /^(ACCEPT|CONTINUE|STEP_UP)$/);

  const held = await registered('audioStream');
  const paused = new ForkConnection('audioStream', held.url);
  await paused.say('metadata', { event: 'pause' });
  await live(held.streamId);
  timers.pass(60_000);
  t.equal((await stateOf(held.streamId)).state, 'live', 'a pause is no silence of a dead peer');
  await paused.say({ event: 'resume' }, { event: 'end' });
  t.match(await paused.until('verdict'), { decision: 'INCONCLUSIVE' });
});

void t.test('A goodbye and an empty frame end the call and it is judged; a vanished peer’s is not', async (t) => {
  const second = l16(own.subarray(0, 4000));
  const goodbye = await registered('audioFork');
  const closing = new ForkConnection('audioFork', goodbye.url);
  await closing.hear(second);
  await closing.say('the text of the stop');
  closing.socket.close(1000);
  t.match((await eventsOf(served, goodbye.streamId)).find(({ name }) => name === 'verdict')?.data, {
    decision: 'INCONCLUSIVE',
    reasons: ['NOT_ENOUGH_SPEECH'],
  });

  const graceful = new ForkConnection('audioFork', (await registered('audioFork')).url);
  await graceful.hear(second);
  graceful.socket.send(Buffer.alloc(0));
  t.match(await graceful.until('verdict'), { decision: 'INCONCLUSIVE' });
  t.equal((await graceful.gone).code, 1000);

  for (const kind of ['audioFork', 'jambonz'] as const) {
    const { streamId, url } = await registered(kind);
    const vanishing = new ForkConnection(kind, url);
    await vanishing.hear(l16(own.subarray(0, 16_000)));
    await live(streamId);
    vanishing.socket.terminate();
    await leftCalls(served, 1);
    if (kind === 'jambonz') t.equal(await new ForkConnection(kind, url).status, 404, 'jambonz does not come back');
    timers.pass(30_001);
    t.match((await eventsOf(served, streamId)).at(-1), { name: 'closed', data: { reason: 'lost' } });
  }
});

void t.test(
  'mod_audio_stream comes back to the same address and goes on; after the verdict it is turned away',
  async (t) => {
    const { streamId, url } = await registered('audioStream');
    const first = new ForkConnection('audioStream', url);
    await first.hear(l16(own.subarray(0, 24_000)));
    await live(streamId);
    t.equal(await new ForkConnection('audioStream', url).status, 404, 'not while the first is there');
    await new Promise((resolve) => setTimeout(resolve, 200));
    first.socket.terminate();
    await leftCalls(served, 1);
    const second = new ForkConnection('audioStream', url);
    t.equal(await second.status, 101);
    await second.say('the metadata again');
    await second.hear(l16(own.subarray(24_000)));
    const verdict = await second.until('verdict');
    t.equal(verdict.decision, 'ACCEPT');
    await sameAsFile(t, served, verdict, own);
    await second.gone;
    t.equal(await new ForkConnection('audioStream', url).status, 404);
  },
);

void t.test('Who has not the password, or another sub-protocol, or no call, is not let in', async (t) => {
  const guarded = await openServed(t, { mediaBasicAuth: basicAuth });
  await enrolCaller(guarded, 'caller', 'zh-f4');
  for (const kind of ['audioFork', 'audioStream', 'jambonz'] as const) {
    const { body } = await guarded.api('POST', '/v1/streams', {
      mode: 'passive',
      accountId: 'caller',
      pin: goodPin,
      protocol: forkKinds[kind].protocol,
    });
    const url = body.url as string;
    for (const auth of [undefined, 'media:', 'media:a pass wore', 'other:a pass word', ':']) {
      const refused = new ForkConnection(kind, url, auth === undefined ? {} : { auth });
      t.equal(await refused.status, 401, `${kind} ${auth ?? 'nothing'}`);
      t.equal(refused.challenge, 'Basic realm="voicegate"');
    }
    const unknown = url.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000');
    t.equal(await new ForkConnection(kind, unknown, { auth: basicAuth }).status, 404);
    t.equal(await new ForkConnection(kind, url, { auth: basicAuth, subprotocol: 'other.example' }).status, 400);
    const allowed = new ForkConnection(kind, url, { auth: basicAuth });
    t.equal(await allowed.status, 101);
    await allowed.say({});
    await allowed.hear(l16(own));
    t.equal((await allowed.until('verdict')).decision, 'ACCEPT');
  }
});

void t.test('An opaque key’s media server is told the decision and no reason', async (t) => {
  for (const accountId of ['caller', 'nobody']) {
    const { token } = await served.register({ accountId, pin: goodPin, protocol: 'freeswitch' }, served.opaque);
    const connection = new ForkConnection(
      'audioFork',
      `${served.base.replace('http', 'ws')}/v1/streams/freeswitch/${token}`,
    );
    await connection.hear(l16(other));
    // A stranger's score may lie between the bounds to the end, and a decoy's is drawn: the media server says that this was all.
    await connection.say({ event: 'end' });
    const { type, verificationId, decision, nextChallenge, ...rest } = await connection.until('verdict');
    t.match([type, verificationId, decision, nextChallenge], ['verdict', /^ver_/, /^(REJECT|INCONCLUSIVE)$/, null]);
    t.same(rest, {});
    t.notMatch(JSON.stringify(connection.relayed), /llr|VOICE|ENROLLED/);
  }
});

void t.test('A node with as many calls as it takes closes with busy', async (t) => {
  const full = await openServed(t, { maxCalls: 0 });
  await enrolCaller(full, 'caller', 'zh-f4');
  const { token } = await full.register({ accountId: 'caller', protocol: 'freeswitch' });
  const refused = new ForkConnection('audioFork', `${full.base.replace('http', 'ws')}/v1/streams/freeswitch/${token}`);
  await refused.say({});
  t.same(await refused.gone, { code: 1013, reason: 'busy' });
  t.match(refused.relayed, [{ type: 'error', code: 'busy' }]);
  const telnyx = await full.register({ accountId: 'caller', protocol: 'telnyx' });
  const stream = new StreamConnection(`${full.base.replace('http', 'ws')}/v1/streams/telnyx/${telnyx.token}`);
  await stream.say(...new StreamScript('telnyx').start().messages);
  t.same(await stream.gone, { code: 1013, reason: 'busy' });
});

void t.test('A peer that stops reading loses its connection, and its call ends without a verdict', async (t) => {
  const strict = await openServed(t, { wsOptions: { ...defaultWsOptions, pingMs: 2000 } });
  await enrolCaller(strict, 'caller', 'zh-f4');
  const { streamId, token } = await strict.register({ accountId: 'caller', protocol: 'jambonz' });
  const deaf = new ForkConnection('jambonz', `${strict.base.replace('http', 'ws')}/v1/streams/jambonz/${token}`);
  // No silence ends the call: only the connection can.
  await deaf.say({}, { event: 'pause' });
  await until(() => strict.telephony.calls.count === 1);
  deaf.socket.pause();
  await leftCalls(strict, 1);
  strict.timers.pass(30_001);
  t.match(await endedStream(strict, streamId), { outcome: { kind: 'none', cause: 'lost' } });
  deaf.socket.terminate();
});
