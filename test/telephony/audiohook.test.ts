import { randomUUID } from 'node:crypto';
import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { expandG711, mulawTable } from '../../src/audio/g711.js';
import { createApiKey } from '../../src/service/api-keys.js';
import { defaultWsOptions } from '../../src/telephony/ws-doors.js';
import { callerCall } from '../audio/made-call.js';
import { goodPin } from '../service/harness.js';
import { until } from '../until.js';
import { apiKey, AudioHookClient, interleaved, mono, secret, stereo } from './audiohook-client.js';
import { g711 } from './media-streams-client.js';
import { enrolCaller, l16, leftCalls, openServed, sameAsFile } from './harness.js';

t.setTimeout(240_000);
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const other = await callerCall('en-rms', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const pingMs = 2000;
const told: { readonly name: string; readonly code?: string }[] = [];
const served = await openServed(t, {
  audioHookKeys: new Map([
    [apiKey, { secret, tenantId: 'operator' }],
    ['other-key', { secret: Buffer.alloc(32, 5), tenantId: 'other-tenant' }],
  ]),
  maxCalls: 3,
  wsOptions: { ...defaultWsOptions, pingMs },
  onFault: (facts) => told.push(facts),
});
const { api, base, timers, telephony, context, full } = served;
await enrolCaller(served, 'caller', 'zh-f4');
const passive = { mode: 'passive', protocol: 'audiohook', accountId: 'caller', pin: goodPin };

async function register(callId: string | null, changes: object = {}) {
  const { status, body } = await api('POST', '/v1/streams', {
    ...passive,
    ...(callId === null ? {} : { callId }),
    ...changes,
  });
  t.equal(status, 201);
  return body as { readonly streamId: string; readonly token: string; readonly url: string };
}
const stateOf = async (streamId: string) => (await api('GET', `/v1/streams/${streamId}`)).body;
async function inState(streamId: string, state: string) {
  await until(async () => (await stateOf(streamId)).state === state);
  return stateOf(streamId);
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const mulaw = (samples: Float32Array): Uint8Array => g711(samples, 'mulaw');
const heardOf = (codes: Uint8Array): Float32Array => expandG711(codes, mulawTable, 1, 0);
const codes = mulaw(own);
const both = interleaved(codes, mulaw(other), 1);

void t.test(
  'A registered conversation is heard at the fixed address, its customer only, and its verdict is an event',
  async (t) => {
    const conversation = randomUUID();
    const { streamId, url } = await register(conversation);
    t.match(url, /^ws:.*\/v1\/streams\/audiohook\/[0-9a-f-]{36}$/);
    const client = await new AudioHookClient(base).open(conversation, [mono, stereo], { supportedLanguages: true });
    const opened = await client.until('opened');
    t.match(opened, { version: '2', id: client.sessionId, seq: 1, clientseq: 1 });
    t.same(opened.parameters, { media: [stereo], startPaused: false, supportedLanguages: ['zh-CN', 'en-US'] });
    client.say('ping', { rtt: 'PT0.05S' });
    t.match(await client.until('pong'), { clientseq: 2, parameters: {} });
    client.say('update', { language: 'en-US' });
    t.match(await client.until('updated'), { clientseq: 3 });
    client.hear(both);
    await client.until('pause');
    const [verdict] = client.entities('voicegate.verdict');
    t.match(verdict, { type: 'verdict', decision: 'ACCEPT', reasons: [] });
    t.ok(client.entities('voicegate.interim').length >= 1);
    t.same(client.entities('voicegate.progress'), []);
    t.same(
      client.messages.map(({ seq }) => seq as number),
      client.messages.map((_, n) => n + 1),
    );
    t.match(await stateOf(streamId), { state: 'ended', outcome: { kind: 'verdict', decision: 'ACCEPT' } });
    await client.close();
    await sameAsFile(t, served, verdict, heardOf(codes));
  },
);

void t.test('In any format and cut at random, verdict and scores are those of the file', async (t) => {
  const random = seededRandom(4);
  const asL16 = interleaved(l16(other), l16(own), 2);
  for (const [media, bytes, samples] of [
    [{ ...stereo, format: 'L16', channels: ['internal', 'external'] }, asL16, own],
    [{ ...mono, format: 'L16' }, l16(own), own],
    [mono, Buffer.from(codes), heardOf(codes)],
  ] as const) {
    const conversation = randomUUID();
    await register(conversation);
    const client = await new AudioHookClient(base).open(conversation, [media]);
    await client.until('opened');
    for (let at = 0; at < bytes.length;) {
      // Also in the middle of a sample.
      const next = Math.min(bytes.length, at + 1 + Math.floor(random() ** 3 * 30_000));
      client.hear(bytes.subarray(at, next), 1 << 16);
      at = next;
      if (random() < 0.5) await pause(random() * 5);
    }
    await client.close();
    const [verdict] = client.entities('voicegate.verdict');
    t.equal(verdict?.decision, 'ACCEPT');
    await sameAsFile(t, served, verdict, samples);
  }
});

void t.test('Another voice at the customer’s leg is refused, whoever the agent is', async (t) => {
  const conversation = randomUUID();
  await register(conversation);
  const client = await new AudioHookClient(base).open(conversation);
  await client.until('opened');
  client.hear(interleaved(mulaw(other), codes, 1));
  await client.until('pause');
  t.match(client.entities('voicegate.verdict'), [{ decision: 'REJECT', reasons: ['VOICE_MISMATCH'] }]);
  await client.close();
});

void t.test('AudioHook that is there first waits, paused, and may be asked for more than one check', async (t) => {
  const conversation = randomUUID();
  const client = await new AudioHookClient(base).open(conversation);
  t.match((await client.until('opened')).parameters, { media: [stereo], startPaused: true });
  client.say('paused');
  // Audio on its way is nobody's.
  client.hear(both.subarray(0, 16_000));
  await pause(1500);
  for (const round of [1, 2]) {
    const before = client.messages.length;
    const { streamId } = await register(conversation);
    await client.until('resume', before);
    client.say('resumed', { start: 'PT0S', discarded: 'PT2S' });
    client.hear(both);
    await client.until('pause', before);
    client.say('paused');
    t.equal(client.entities('voicegate.verdict').length, round);
    t.match(await stateOf(streamId), { state: 'ended', outcome: { kind: 'verdict', decision: 'ACCEPT' } });
  }
  await client.close();
});

void t.test('A token in the address is for one call', async (t) => {
  const { token, streamId } = await register(null);
  const client = await new AudioHookClient(base, `/${token}`).open(randomUUID());
  await client.until('opened');
  client.hear(both);
  t.match((await client.until('disconnect')).parameters, { reason: 'completed' });
  await client.close('disconnect');
  t.match(await stateOf(streamId), { state: 'ended', outcome: { kind: 'verdict', decision: 'ACCEPT' } });
  for (const wrong of [token, randomUUID()]) {
    const again = await new AudioHookClient(base, `/${wrong}`).open(randomUUID());
    t.match((await again.until('disconnect')).parameters, { reason: 'error', info: /no such stream/ });
    await again.close('disconnect');
  }
});

void t.test('A conversation is registered once at a time, and only its tenant’s AudioHook gets it', async (t) => {
  const conversation = randomUUID();
  const { streamId } = await register(conversation);
  t.match(await api('POST', '/v1/streams', { ...passive, callId: conversation }), {
    status: 409,
    body: { code: 'conflict' },
  });
  const stranger = { keyId: 'other-key', secret: Buffer.alloc(32, 5) };
  const others = await new AudioHookClient(base, '', stranger).open(conversation);
  t.match((await others.until('opened')).parameters, { startPaused: true });
  const clients = await Promise.all([1, 2].map(() => new AudioHookClient(base).open(conversation)));
  const opened = await Promise.all(clients.map((client) => client.until('opened')));
  t.same(opened.map(({ parameters }) => parameters.startPaused as boolean).sort(), [false, true], 'one of two got it');
  t.equal((await stateOf(streamId)).state, 'live');
  for (const client of [others, ...clients]) await client.close();
  t.match(await inState(streamId, 'ended'), { outcome: { decision: 'INCONCLUSIVE' } });
});

void t.test('A connection probe is opened and closed, and needs no registration', async (t) => {
  const client = await new AudioHookClient(base).open('00000000-0000-0000-0000-000000000000', []);
  t.same((await client.until('opened')).parameters, { media: [], startPaused: false });
  await client.close();
  t.same(
    client.messages.map(({ type }) => type as string),
    ['opened', 'closed'],
  );
});

void t.test('Who has not signed is not let in', async (t) => {
  const statusOf = async (signing: object, headers: Record<string, string> = {}) => {
    const client = new AudioHookClient(base, '', signing, headers);
    const status = await client.admitted;
    client.socket.terminate();
    return status;
  };
  t.equal(await statusOf({ secret: Buffer.alloc(32) }), 401);
  t.equal(await statusOf({ keyId: 'nobody' }), 401);
  t.equal(await statusOf({ created: 1_600_000_000 }), 401);
  t.equal(await statusOf({}, { 'audiohook-correlation-id': randomUUID() }), 401, 'a header changed on the way');
  t.equal(await statusOf({}, { signature: '' }), 401);
  t.equal(await statusOf({ sessionId: 'no uuid' }), 400);
  t.match(told.at(-1)?.name, /^AudioHook: /);
  const nonce = randomUUID();
  const first = new AudioHookClient(base, '', { nonce });
  t.equal(await first.admitted, null);
  t.equal(await statusOf({ nonce }), 401, 'replayed');
  await first.close();
});

void t.test('What breaks the protocol ends in a disconnect that says why, and never in a verdict', async (t) => {
  const broken = async (say: (client: AudioHookClient, conversation: string) => unknown, isHeard = true) => {
    const conversation = randomUUID();
    const { streamId } = await register(conversation);
    const client = new AudioHookClient(base);
    await client.admitted;
    if (isHeard) {
      await client.open(conversation);
      await client.until('opened');
      client.hear(both.subarray(0, 16_000));
    }
    await say(client, conversation);
    const { parameters } = await client.until('disconnect');
    if (isHeard) t.match(await inState(streamId, 'ended'), { outcome: { kind: 'none', cause: 'failed' } });
    else t.equal((await stateOf(streamId)).state, 'registered');
    client.socket.terminate();
    return [parameters.reason, parameters.info] as [string, string];
  };
  const raw = (text: string | Buffer) => (client: AudioHookClient) => client.socket.send(text);
  t.match(await broken(raw('no JSON')), ['error', /none of the protocol/]);
  t.match(await broken(raw(' '.repeat(70_000))), ['error', /message of 70000/]);
  t.match(await broken((client) => client.say('ping', {}, { seq: 9 })), ['error', /seq 9 after 1/]);
  t.match(await broken((client) => client.say('ping', {}, { seq: 1 })), ['error', /seq 1 after 1/]);
  t.match(await broken((client) => client.say('ping', {}, { serverseq: 999 })), ['error', /serverseq 999/]);
  t.match(await broken((client) => client.say('ping', {}, { id: randomUUID() })), ['error', /another session/]);
  t.match(await broken((client) => client.say('ping', {}, { version: '3' })), ['error', /none of the protocol/]);
  t.match(await broken((client) => client.open(randomUUID())), ['error', /a second open/]);
  t.match(
    await broken((client) => {
      for (let n = 0; n < 200; n++) client.say('ping');
    }),
    ['error', /too many messages/],
  );
  t.match(await broken((client) => client.hear(both.subarray(0, 100)), false), ['error', /audio before open/]);
  t.match(await broken((client) => client.say('paused'), false), ['error', /paused before open/]);
  const open =
    (media: object[], more = {}) =>
    (client: AudioHookClient, conversation: string) =>
      client.open(conversation, media, more);
  t.match(await broken(open([{ ...stereo, channels: ['internal'] }]), false), ['error', /no media offered/]);
  t.match(await broken(open([]), false), ['error', /no media offered/]);
  t.match(await broken(open([stereo], { organizationId: randomUUID() }), false), ['unauthorized', /organizationId/]);
});

void t.test('Messages that we do not know are let pass, and pauses and gaps are time without speech', async (t) => {
  const conversation = randomUUID();
  await register(conversation);
  const client = await new AudioHookClient(base).open(conversation);
  await client.until('opened');
  client.say('brand-new', { anything: true });
  client.hear(both.subarray(0, 32_000));
  client.say('discarded', { start: 'PT2S', discarded: 'PT1.5S' });
  client.say('paused');
  client.say('ping');
  await client.until('pong');
  timers.pass(60_000);
  t.same(client.entities('voicegate.verdict'), [], 'a pause is no silence of a dead peer');
  client.say('resumed', { start: 'PT3.5S', discarded: 'PT60S' });
  client.say('error', { code: 429, message: 'slow down' });
  client.hear(both.subarray(32_000));
  await client.until('pause');
  t.match(client.entities('voicegate.verdict'), [{ decision: 'ACCEPT' }]);
  t.match(told.at(-1), { name: 'Genesys reports error 429' });
  await client.close();
  // The gap is there as silence: a file with it has the same scores.
  const heard = heardOf(codes);
  const withGap = new Float32Array(heard.length + 12_000);
  withGap.set(heard.subarray(0, 16_000));
  withGap.set(heard.subarray(16_000), 28_000);
  await sameAsFile(t, served, client.entities('voicegate.verdict')[0], withGap);
});

void t.test('How Genesys closes decides: at the end what was heard is judged, after an error it is not', async (t) => {
  for (const [reason, outcome] of [
    ['end', { kind: 'verdict', decision: 'INCONCLUSIVE' }],
    ['disconnect', { kind: 'verdict', decision: 'INCONCLUSIVE' }],
    ['error', { kind: 'none', decision: 'INCONCLUSIVE', cause: 'failed' }],
  ] as const) {
    const conversation = randomUUID();
    const { streamId } = await register(conversation);
    const client = await new AudioHookClient(base).open(conversation);
    await client.until('opened');
    client.hear(both.subarray(0, 8000));
    await client.close(reason);
    t.match(await inState(streamId, 'ended'), { outcome });
  }
});

void t.test('A session that goes on in another keeps its call; without that it is lost', async (t) => {
  for (const breaks of ['reconnect', 'break']) {
    const conversation = randomUUID();
    const { streamId } = await register(conversation);
    const client = await new AudioHookClient(base).open(conversation);
    await client.until('opened');
    client.hear(both.subarray(0, 16_000));
    client.say('ping');
    await client.until('pong');
    if (breaks === 'reconnect') await client.close('reconnect');
    else {
      client.socket.terminate();
      await leftCalls(served, 1);
    }
    const continuedSessions = [{ id: client.sessionId, serverseq: 2, clientseq: 2 }];
    const again = await new AudioHookClient(base).open(conversation, [mono, stereo], { continuedSessions });
    t.match((await again.until('opened')).parameters, { media: [stereo], startPaused: false });
    again.hear(both.subarray(16_000));
    await again.until('pause');
    const [verdict] = again.entities('voicegate.verdict');
    t.match(verdict, { decision: 'ACCEPT' });
    await sameAsFile(t, served, verdict, heardOf(codes));
    t.match(await stateOf(streamId), { outcome: { decision: 'ACCEPT' } });
    await again.close();

    const stranger = { keyId: 'other-key', secret: Buffer.alloc(32, 5) };
    const lost = await register(conversation);
    const first = await new AudioHookClient(base).open(conversation);
    await first.until('opened');
    first.socket.terminate();
    await leftCalls(served, 1);
    const continued = [{ id: first.sessionId, serverseq: 1, clientseq: 1 }];
    const thief = await new AudioHookClient(base, '', stranger).open(conversation, [stereo], {
      continuedSessions: continued,
    });
    t.match((await thief.until('opened')).parameters, { startPaused: true }, 'another key continues nothing');
    await thief.close();
    for (const [other, media] of [
      [randomUUID(), stereo],
      [conversation, mono],
    ] as const) {
      const wrong = await new AudioHookClient(base).open(other, [media], { continuedSessions: continued });
      t.match(
        (await wrong.until('opened')).parameters,
        { startPaused: true },
        'nor does another conversation or format',
      );
      await wrong.close();
    }
    const right = await new AudioHookClient(base).open(conversation, [stereo], { continuedSessions: continued });
    t.match((await right.until('opened')).parameters, { startPaused: false }, 'they took nothing away');
    right.socket.terminate();
    await leftCalls(served, 1);
    timers.pass(30_001);
    t.match(await inState(lost.streamId, 'ended'), { outcome: { kind: 'none', cause: 'lost' } });
  }
});

void t.test('A peer that stops reading loses its connection and its call is lost, not judged', async (t) => {
  const conversation = randomUUID();
  const { streamId } = await register(conversation);
  const client = await new AudioHookClient(base).open(conversation);
  await client.until('opened');
  client.hear(both.subarray(0, 8000));
  client.say('ping');
  await client.until('pong');
  client.socket.pause();
  // It answers no ping of the WebSocket either.
  await leftCalls(served, 1);
  timers.pass(30_001);
  t.match(await inState(streamId, 'ended'), { outcome: { kind: 'none', cause: 'lost' } });
  client.socket.terminate();
});

void t.test('A node that is full lets a conversation wait, and takes it when there is room', async (t) => {
  const conversations = Array.from({ length: 4 }, () => randomUUID());
  const streams = [];
  for (const conversation of conversations.slice(0, 3)) streams.push(await register(conversation));
  const [fourth = ''] = conversations.slice(3);
  const last = await register(fourth);
  const clients = [];
  for (const conversation of conversations) {
    const client = await new AudioHookClient(base).open(conversation);
    await client.until('opened');
    clients.push(client);
  }
  t.match(clients[3]?.messages[0]?.parameters, { startPaused: true });
  t.equal((await stateOf(last.streamId)).state, 'registered');
  await clients[0]?.close();
  await clients[3]?.until('resume');
  t.equal((await stateOf(last.streamId)).state, 'live');
  for (const client of clients.slice(1)) await client.close();
  for (const { streamId } of [...streams, last]) await inState(streamId, 'ended');
});

void t.test('Fuzzed sessions end without a verdict that accepts, and leave the door open', async (t) => {
  const random = seededRandom(17);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  for (let n = 0; n < 25; n++) {
    const conversation = randomUUID();
    const { streamId } = await register(conversation);
    const client = await new AudioHookClient(base).open(conversation);
    await client.until('opened');
    for (let k = 0; k < 20; k++) {
      const junk = Buffer.from(Array.from({ length: Math.floor(random() * 500) }, () => random() * 256));
      pick<() => unknown>([
        () => client.socket.send(junk),
        () => client.socket.send(junk.toString('latin1')),
        () =>
          client.say(pick(['ping', 'paused', 'resumed', 'discarded', 'x', 'open']), {
            discarded: 'PT9S',
            start: 'PT0S',
          }),
        () => client.say('discarded', { start: 'PT0S', discarded: `PT${'9'.repeat(1 + Math.floor(random() * 12))}S` }),
      ])();
    }
    client.socket.close();
    await client.gone;
    timers.pass(30_001);
    t.not((await inState(streamId, 'ended')).outcome.decision, 'ACCEPT');
  }
  const probe = await new AudioHookClient(base).open('00000000-0000-0000-0000-000000000000', []);
  await probe.close();
});

void t.test('An opaque key’s events tell no scores', async (t) => {
  const opaque = await createApiKey(context, full, { label: 'opaque', roles: ['verifier'], answer: 'opaque' });
  const conversation = randomUUID();
  const made = await fetch(`${base}/v1/streams`, {
    method: 'POST',
    headers: { authorization: `Bearer ${opaque.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...passive, callId: conversation }),
  });
  t.equal(made.status, 201);
  const client = await new AudioHookClient(base).open(conversation);
  await client.until('opened');
  client.hear(both);
  await client.until('pause');
  t.match(client.entities('voicegate.verdict'), [{ decision: 'ACCEPT' }]);
  t.notMatch(JSON.stringify(client.messages), /llr|cosine|reasons":\["/);
  await client.close();
});

void t.test('A stopping service says so, ends its calls without a verdict, and holds no connection', async (t) => {
  const conversation = randomUUID();
  const { streamId } = await register(conversation);
  const client = await new AudioHookClient(base).open(conversation);
  await client.until('opened');
  client.hear(both.subarray(0, 8000));
  const waiting = await new AudioHookClient(base).open(randomUUID());
  await waiting.until('opened');
  await telephony.close();
  t.match((await client.until('disconnect')).parameters, { reason: 'error', info: 'the service is stopping' });
  await Promise.all([client.gone, waiting.gone]);
  t.match(await stateOf(streamId), { outcome: { kind: 'none', reasons: ['SERVICE_RESTARTED'] } });
  t.equal(timers.pending, 1, 'no timer waits but that of the other registry of the set-up');
});
