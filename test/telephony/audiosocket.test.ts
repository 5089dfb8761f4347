import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { openAudioSocket } from '../../src/telephony/audiosocket-door.js';
import { callerCall, utterance } from '../audio/made-call.js';
import { goodPin } from '../service/harness.js';
import { until } from '../until.js';
import { audioFrames, AudioSocketClient, frame, terminate, uuidFrame } from './audiosocket-client.js';
import { endedStream, enrolCaller, l16, leftCalls, openServed, sameAsFile } from './harness.js';

t.setTimeout(240_000);
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
/** What the operator was told of calls that were refused. */
const told: { readonly name: string; readonly code?: string; readonly peer?: string }[] = [];
const audioSocket = {
  port: 0,
  host: '127.0.0.1',
  peers: ['127.0.0.1', '::1'],
  rates: new Map([[0x12, 16_000]]),
};
const served = await openServed(t, { audioSocket, onFault: (facts) => told.push(facts) });
const { api, telephony, timers } = served;
await enrolCaller(served, 'caller', 'zh-f4');
const passive = { mode: 'passive', protocol: 'audiosocket', accountId: 'caller', pin: goodPin };

async function register(changes: object = {}) {
  const { status, body } = await api('POST', '/v1/streams', { ...passive, ...changes });
  t.equal(status, 201);
  return body as { readonly streamId: string; readonly token: string; readonly url: string };
}
const port = Number(new URL((await register()).url.replace('tcp:', 'http:')).port);
const stateOf = async (streamId: string) => (await api('GET', `/v1/streams/${streamId}`)).body;
const live = (streamId: string) => until(async () => (await stateOf(streamId)).state === 'live');
/** The last event of a kind that a call told. */
function eventOf(streamId: string, name: string): Record<string, any> | undefined {
  const found: Record<string, any>[] = [];
  telephony.events.subscribe(streamId, 0, (event) => event?.name === name && found.push(event.data))?.();
  return found.at(-1);
}
const whole = audioFrames(l16(own));

void t.test('A registered call is heard, and Asterisk goes on when the verdict is there', async (t) => {
  const { streamId, token, url } = await register();
  t.equal(url, `tcp://127.0.0.1:${port}`);
  const client = new AudioSocketClient(port).send(uuidFrame(token.toUpperCase()), whole);
  t.strictSame(await client.gone, terminate, 'nothing but the end is sent');
  t.match(await stateOf(streamId), { state: 'ended', outcome: { kind: 'verdict', decision: 'ACCEPT' } });
  t.ok(eventOf(streamId, 'interim'));
});

void t.test('However TCP cuts the frames, the verdict and the scores are those of the file', async (t) => {
  const scores: unknown[] = [];
  for (const [seed, frameBytes] of [
    [1, 320],
    [2, 333],
    [3, 65_535],
    [4, 7],
  ] as const) {
    const { streamId, token } = await register();
    const client = new AudioSocketClient(port);
    // Half a sample at a frame's end, frames of nothing and of unknown kinds between.
    const between = [frame(0x10), frame(0x55, Buffer.alloc(3000)), frame(0x03, Buffer.from('7'))];
    const sent = audioFrames(l16(own), frameBytes);
    await client.sendCut(Buffer.concat([uuidFrame(token), ...between, sent, terminate]), seed);
    await client.gone;
    const verdict = eventOf(streamId, 'verdict');
    t.equal(verdict?.decision, 'ACCEPT');
    await sameAsFile(t, served, verdict, own);
    scores.push(verdict?.evidence.voice.llr);
  }
  t.strictSame(new Set(scores).size, 1);
});

void t.test('Frames of another rate are heard where the configuration says which, and refused where not', async (t) => {
  const wide = new Float32Array(2 * own.length);
  own.forEach((sample, n) => {
    wide[2 * n] = sample;
    wide[2 * n + 1] = (sample + (own[n + 1] ?? sample)) / 2;
  });
  const known = await register();
  const client = new AudioSocketClient(port).send(uuidFrame(known.token), audioFrames(l16(wide), 640, 0x12));
  t.strictSame(await client.gone, terminate);
  t.match(await stateOf(known.streamId), { outcome: { kind: 'verdict', decision: 'ACCEPT' } });

  const unknown = await register();
  const other = new AudioSocketClient(port).send(uuidFrame(unknown.token), audioFrames(l16(wide), 640, 0x11));
  t.strictSame(await other.gone, terminate);
  t.match(await endedStream(served, unknown.streamId), {
    outcome: { kind: 'none', decision: 'INCONCLUSIVE', cause: 'failed' },
  });
  t.match(eventOf(unknown.streamId, 'error'), { code: 'invalid_request', title: /0x11.*VOICEGATE_AUDIOSOCKET_RATES/ });
  t.match(told.at(-1), { code: 'invalid_request', name: /0x11/ });

  const mixed = await register();
  const both = audioFrames(l16(own.subarray(0, 800)));
  await new AudioSocketClient(port).send(uuidFrame(mixed.token), both, frame(0x12, Buffer.alloc(640))).gone;
  t.match(await endedStream(served, mixed.streamId), { outcome: { cause: 'failed' } });
});

void t.test(
  'Who is not known or breaks the protocol is closed, and the token stays good until its call begins',
  async (t) => {
    const { streamId, token } = await register();
    const refusedWith = async (...frames: Buffer[]) => {
      const before = told.length;
      const answer = await new AudioSocketClient(port).send(...frames).gone;
      return [answer.equals(terminate), told.slice(before).map(({ code, name }) => `${code}: ${name}`)];
    };
    const audio = audioFrames(Buffer.alloc(320));
    t.match(await refusedWith(uuidFrame('a0000000-0000-4000-8000-000000000000'), audio), [true, [/^stream_unknown/]]);
    t.match(await refusedWith(audio), [true, [/frame 0x10 before the UUID/]]);
    t.match(await refusedWith(terminate), [true, [/frame 0x00 before the UUID/]]);
    t.match(await refusedWith(frame(0x01, Buffer.alloc(15))), [true, [/a UUID of 15 bytes/]]);
    t.match(await refusedWith(frame(0x01)), [true, [/a UUID of 0 bytes/]]);
    t.match(await refusedWith(Buffer.from('GET / HTTP/1.1\r\n'.padEnd(20_000))), [true, [/frame 0x47/]]);
    const twilio = await register({ protocol: 'voicegate' });
    t.match(await refusedWith(uuidFrame(twilio.token)), [true, [/^stream_unknown/]], 'registered for another protocol');
    t.equal((await stateOf(streamId)).state, 'registered');
    t.match(await refusedWith(uuidFrame(token), audio, terminate), [true, []]);
    t.match(await endedStream(served, streamId), { outcome: { kind: 'verdict', decision: 'INCONCLUSIVE' } });
    t.match(await refusedWith(uuidFrame(token), audio), [true, [/^stream_unknown/]], 'used');

    const twice = await register();
    t.match(await refusedWith(uuidFrame(twice.token), audio, uuidFrame(twice.token)), [true, [/a second UUID/]]);
    t.match(await endedStream(served, twice.streamId), { outcome: { kind: 'none', cause: 'failed' } });
  },
);

void t.test('One of two that bring the same UUID at once is taken', async (t) => {
  const { streamId, token } = await register();
  const clients = [1, 2, 3].map(() => new AudioSocketClient(port).send(uuidFrame(token), whole));
  await Promise.all(clients.map(({ gone }) => gone));
  t.match(await endedStream(served, streamId), { outcome: { kind: 'verdict', decision: 'ACCEPT' } });
});

void t.test('A key # ends the listening to a challenge, as a hang-up and a plain close do', async (t) => {
  const said = audioFrames(l16(await utterance('zh-f4', 'verify-2')));
  for (const end of [frame(0x03, Buffer.from('#')), frame(0xff, Buffer.of(0x01)), terminate, null]) {
    const { streamId, token } = await register({ mode: 'active' });
    const client = new AudioSocketClient(port).send(uuidFrame(token), said);
    if (end === null) client.socket.end();
    else client.send(end);
    await client.gone;
    t.match(await endedStream(served, streamId), { outcome: { kind: 'verdict', decision: 'ACCEPT' } });
  }
});

void t.test('A fault that Asterisk reports ends the call without a verdict', async (t) => {
  for (const payload of [Buffer.of(0x02), Buffer.of(0x04), Buffer.alloc(0)]) {
    const { streamId, token } = await register();
    const client = new AudioSocketClient(port).send(uuidFrame(token), whole.subarray(0, 3230), frame(0xff, payload));
    await client.gone;
    t.match(await endedStream(served, streamId), {
      outcome: { kind: 'none', decision: 'INCONCLUSIVE', cause: 'failed' },
    });
    t.match(eventOf(streamId, 'error'), { title: /^Asterisk reports error/ });
  }
});

void t.test('Silence of a living peer is judged; a peer whose connection breaks is lost', async (t) => {
  const silent = await register();
  const client = new AudioSocketClient(port).send(uuidFrame(silent.token), audioFrames(Buffer.alloc(32_000)));
  await live(silent.streamId);
  let over = false;
  void client.gone.then(() => (over = true));
  // Audio that is still on its way begins the silence anew.
  await until(
    () => over,
    () => timers.pass(15_001),
  );
  t.strictSame(await client.gone, terminate);
  t.match(await endedStream(served, silent.streamId), { outcome: { kind: 'verdict', decision: 'INCONCLUSIVE' } });

  const broken = await register();
  const gone = new AudioSocketClient(port).send(uuidFrame(broken.token), whole.subarray(0, 32_300));
  await live(broken.streamId);
  gone.socket.resetAndDestroy();
  await leftCalls(served, 1);
  t.equal((await stateOf(broken.streamId)).state, 'live');
  timers.pass(30_001);
  t.match(await endedStream(served, broken.streamId), {
    outcome: { kind: 'none', decision: 'INCONCLUSIVE', cause: 'lost' },
  });
});

void t.test(
  'A peer that neither reads nor closes is left after the verdict, and a faster one than we hear is slowed down',
  async (t) => {
    const { streamId, token } = await register();
    const client = new AudioSocketClient(port);
    client.socket.pause();
    // Four minutes of noise at once: more than may wait, so it has to wait in the network.
    const random = seededRandom(3);
    const noise = Buffer.from(Uint8Array.from({ length: 4_000_000 }, () => random() * 256));
    client.send(uuidFrame(token), audioFrames(noise, 3200));
    let closed = false;
    client.socket.on('close', () => (closed = true));
    t.match(await endedStream(served, streamId), { outcome: { kind: 'verdict' } });
    t.notOk(closed);
    for (let n = 0; n < 300 && !closed; n++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      // It writes on: that is how it learns that nobody is there.
      client.socket.write(Buffer.alloc(320));
    }
    t.ok(closed);
    client.socket.destroy();
  },
);

void t.test('Hostile bytes end in a close, never in a verdict that accepts, and leave the door open', async (t) => {
  const random = seededRandom(11);
  for (let n = 0; n < 60; n++) {
    const { streamId, token } = await register();
    const client = new AudioSocketClient(port);
    const junk = Buffer.from(Array.from({ length: Math.floor(random() * 3000) }, () => random() * 256));
    // The first half knows a token and goes wrong later.
    client.send(...(n % 2 === 0 ? [uuidFrame(token), junk] : [junk]));
    client.socket.end();
    await client.gone;
    const { state, outcome } = n % 2 === 0 ? await endedStream(served, streamId) : await stateOf(streamId);
    t.not(outcome?.decision, 'ACCEPT');
    if (n % 2 === 1) t.equal(state, 'registered');
  }
  const { streamId, token } = await register();
  await new AudioSocketClient(port).send(uuidFrame(token), whole).gone;
  t.match(await stateOf(streamId), { outcome: { decision: 'ACCEPT' } });
});

void t.test('A peer that is not listed is closed before anything is read', async (t) => {
  const strangers: object[] = [];
  const door = await openAudioSocket(
    telephony.calls,
    { ...audioSocket, peers: ['10.0.0.0/8'] },
    (facts) => void strangers.push(facts),
  );
  t.teardown(() => door.close());
  const { streamId, token } = await register();
  const answer = await new AudioSocketClient(door.port).send(uuidFrame(token), whole).gone;
  await new AudioSocketClient(door.port).send(uuidFrame(token), whole).gone;
  t.equal(answer.length, 0);
  t.equal(door.connections, 0);
  t.equal((await stateOf(streamId)).state, 'registered');
  t.match(strangers, [{ peer: '127.0.0.1' }], 'the operator is told once, not for each try');
  t.equal(strangers.length, 1);
});

const ipv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6'));
const skip = ipv6 ? false : 'this machine has no IPv6';
void t.test('On an address of both families IPv4 peers are known', { skip }, async (t) => {
  const door = await openAudioSocket(telephony.calls, { ...audioSocket, host: '::' }, () => undefined);
  t.teardown(() => door.close());
  const { streamId, token } = await register();
  await new AudioSocketClient(door.port).send(uuidFrame(token), terminate).gone;
  t.equal((await endedStream(served, streamId)).state, 'ended');
});

void t.test('Connections that do not say which call they bring are bounded, and refused after a while', async (t) => {
  const idle = Array.from({ length: 100 }, () => new AudioSocketClient(port));
  await Promise.all(idle.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal((await new AudioSocketClient(port).gone).length, 0, 'one more is closed at once');
  const [first, ...others] = idle;
  t.strictSame(await first?.gone, terminate);
  t.match(told.at(-1), { code: 'invalid_request', name: /did not say which call/ });
  await Promise.all(others.map(({ gone }) => gone));
  const { streamId, token } = await register();
  await new AudioSocketClient(port).send(uuidFrame(token), terminate).gone;
  t.equal((await endedStream(served, streamId)).state, 'ended');
});

void t.test('Settings that cannot be are refused by name', async (t) => {
  const open = (changes: object) => openAudioSocket(telephony.calls, { ...audioSocket, ...changes }, () => undefined);
  await t.rejects(open({ peers: ['pbx'] }), { code: 'configuration_invalid' });
  await t.rejects(open({ rates: new Map([[0x11, 1200]]) }), { code: 'configuration_invalid' });
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void taken.close());
  await t.rejects(open({ port: (taken.address() as AddressInfo).port }), { code: 'configuration_invalid' });
});

void t.test('A stopping service ends its calls without a verdict and holds no connection', async (t) => {
  const { streamId, token } = await register();
  const client = new AudioSocketClient(port).send(uuidFrame(token), whole.subarray(0, 32_300));
  const waiting = new AudioSocketClient(port);
  await live(streamId);
  await telephony.close();
  t.strictSame(await client.gone, terminate);
  await waiting.gone;
  t.match(await stateOf(streamId), { state: 'ended', outcome: { kind: 'none', reasons: ['SERVICE_RESTARTED'] } });
  const late = new AudioSocketClient(port);
  await late.gone;
  t.equal(timers.pending, 1, 'no timer waits but that of the other registry of the set-up');
});
