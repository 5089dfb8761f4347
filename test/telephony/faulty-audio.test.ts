import t, { type Test } from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { unlockAccount } from '../../src/service/accounts.js';
import { callerCall } from '../audio/made-call.js';
import { goodPin } from '../service/harness.js';
import { endedStream, enrolCaller, l16, openServed, sameAsFile } from './harness.js';
import { hello, OwnClient } from './own-client.js';

t.setTimeout(240_000);
const served = await openServed(t);
const { api, context, full } = served;
await enrolCaller(served, 'caller', 'zh-f4');
// Refusals are counted: no test is to lock the next one out.
t.beforeEach(() => unlockAccount(context, full, 'caller', { agentId: null, reason: null }));
const utterances = ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5'];
const own = await callerCall('zh-f4', utterances);
const other = await callerCall('en-rms', utterances);
const frameSamples = 160;

type Frame = Float32Array | { readonly gapSeconds: number };
const framesOf = (samples: Float32Array): Float32Array[] =>
  Array.from({ length: Math.ceil(samples.length / frameSamples) }, (_, n) =>
    samples.subarray(n * frameSamples, (n + 1) * frameSamples),
  );

/** Registers a call, plays frames into it, ends it; answers what it was told. */
async function heard(frames: readonly Frame[], greeting: object = hello) {
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
  const client = new OwnClient(body.url as string);
  await client.say({ ...hello, ...greeting });
  await client.until('hello');
  for (const frame of frames) {
    if (frame instanceof Float32Array) client.socket.send(l16(frame));
    else client.socket.send(JSON.stringify({ type: 'gap', seconds: frame.gapSeconds }));
  }
  return ended(client, body.streamId as string);
}

/** Ends a call: one verdict, one goodbye, and the state says the same. */
async function ended(client: OwnClient, streamId: string) {
  await client.say({ type: 'end' });
  const code = await client.gone;
  const verdicts = client.messages.filter(({ type }) => type === 'verdict');
  const state = (await api('GET', `/v1/streams/${streamId}`)).body;
  return { verdict: verdicts[0], verdicts: verdicts.length, code, state, last: client.messages.at(-1) };
}

/** Whatever it is: one verdict, a goodbye, and no ACCEPT. */
function notAccepted(t: Test, call: Awaited<ReturnType<typeof heard>>, name: string): void {
  t.same([call.verdicts, call.code, call.last?.type], [1, 1000, 'closed'], `${name}: one outcome`);
  t.match(call.verdict?.decision, /^(REJECT|INCONCLUSIVE|CONTINUE|STEP_UP)$/, name);
  t.equal(call.state.outcome?.decision, call.verdict?.decision, `${name}: the state says so too`);
}

void t.test(
  'Frames known to be lost are silence: the verdict is that of the file with the silence in it',
  async (t) => {
    const random = seededRandom(1);
    const frames: Frame[] = [];
    const samples = own.slice();
    for (const [n, frame] of framesOf(own).entries()) {
      const lost = random() < 0.05;
      if (lost) samples.fill(0, n * frameSamples, (n + 1) * frameSamples);
      frames.push(lost ? { gapSeconds: frame.length / 8000 } : frame);
    }
    const { verdict, verdicts } = await heard(frames);
    t.equal(verdicts, 1);
    await sameAsFile(t, served, verdict, samples);
  },
);

void t.test('Frames lost or doubled without a word: the verdict is that of what arrived', async (t) => {
  const random = seededRandom(2);
  const frames = framesOf(own).flatMap((frame) => {
    const chance = random();
    return chance < 0.03 ? [] : chance < 0.06 ? [frame, frame] : [frame];
  });
  const { verdict, verdicts } = await heard(frames);
  t.equal(verdicts, 1);
  await sameAsFile(t, served, verdict, Float32Array.from(frames.flatMap((frame) => [...frame])));
});

void t.test(
  'Half a sample at the end of frames is joined with the next frame; at the end of a call it is dropped',
  async (t) => {
    const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
    const client = new OwnClient(body.url as string);
    await client.say(hello);
    const bytes = l16(own);
    for (let at = 0; at < bytes.length; at += 321) client.socket.send(bytes.subarray(at, at + 321));
    client.socket.send(Buffer.of(0x7f));
    const { verdict } = await ended(client, body.streamId as string);
    await sameAsFile(t, served, verdict, own);
  },
);

void t.test('A gap after half a sample loses that sample only', async (t) => {
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
  const client = new OwnClient(body.url as string);
  await client.say(hello);
  const cut = 20_000;
  const bytes = l16(own);
  client.socket.send(bytes.subarray(0, 2 * cut + 1));
  client.socket.send(JSON.stringify({ type: 'gap', seconds: 0.5 }));
  client.socket.send(bytes.subarray(2 * cut + 2));
  const { verdict } = await ended(client, body.streamId as string);
  const samples = new Float32Array(own.length - 1 + 4000);
  samples.set(own.subarray(0, cut));
  samples.set(own.subarray(cut + 1), cut + 4000);
  await sameAsFile(t, served, verdict, samples);
});

void t.test('Silence, noise and tones alone are INCONCLUSIVE', async (t) => {
  const random = seededRandom(3);
  const noise = Float32Array.from({ length: 80_000 }, () => 0.02 * (random() - 0.5));
  for (const [name, samples] of [
    ['silence', new Float32Array(80_000)],
    ['noise', noise],
    ['keys', keys(80_000, 0.25)],
  ] as const) {
    const call = await heard(framesOf(samples));
    notAccepted(t, call, name);
    t.match(call.verdict, { decision: 'INCONCLUSIVE', reasons: ['NOT_ENOUGH_SPEECH'] }, name);
  }
});

void t.test('A call of nothing but losses ends by itself at the policy’s longest time', async (t) => {
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
  const client = new OwnClient(body.url as string);
  await client.say(hello);
  await client.until('hello');
  while (client.socket.readyState === client.socket.OPEN) {
    for (let n = 0; n < 4; n++) client.socket.send(JSON.stringify({ type: 'gap', seconds: 5 }));
    const taken = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await Promise.race([taken, client.gone]);
  }
  t.equal(await client.gone, 1000);
  const verdict = client.messages.find(({ type }) => type === 'verdict');
  t.match(verdict, { decision: 'INCONCLUSIVE', reasons: ['NOT_ENOUGH_SPEECH'] });
  t.equal(verdict?.evidence.quality.report.totalSeconds, 180);
});

void t.test('Keys pressed in the pauses of a talk neither open nor close it for the wrong voice', async (t) => {
  const withKeys = (samples: Float32Array): Float32Array => {
    const tones = keys(samples.length, 0.25);
    return samples.map((sample, n) => (sample === 0 ? (tones[n] ?? 0) : sample));
  };
  t.match((await heard(framesOf(withKeys(own)))).verdict?.decision, /ACCEPT|INCONCLUSIVE/, 'the caller');
  notAccepted(t, await heard(framesOf(withKeys(other))), 'another voice');
});

void t.test('Audio that is not what the hello says is never accepted', async (t) => {
  const halved = own.filter((_, n) => n % 2 === 0);
  const doubled = new Float32Array(2 * own.length).map((_, n) => own[n >> 1] ?? 0);
  notAccepted(t, await heard(framesOf(doubled)), '16 kHz called 8 kHz');
  notAccepted(t, await heard(framesOf(halved)), '4 kHz called 8 kHz');
  notAccepted(t, await heard(framesOf(own), { sampleRateHz: 16_000 }), '8 kHz called 16 kHz');
  notAccepted(t, await heard(framesOf(own), { encoding: 'l16-be' }), 'the other order of bytes');
  notAccepted(t, await heard(framesOf(own), { encoding: 'mulaw' }), 'L16 called µ-law');
  notAccepted(t, await heard(framesOf(own), { encoding: 'alaw' }), 'L16 called A-law');
  notAccepted(t, await heard(framesOf(own), { channels: ['customer', 'agent'] }), 'one leg called two');
});

void t.test('A peer that sends half a minute more than is heard, without a stop, loses its call', async (t) => {
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
  const client = new OwnClient(body.url as string);
  await client.say(hello);
  // One message is taken whole: half a minute and more of it at once.
  client.socket.send(l16(new Float32Array(40 * 8000)));
  t.equal(await client.gone, 1011);
  t.match(client.messages.slice(-2), [
    { type: 'error', code: 'busy' },
    { type: 'closed', reason: 'failed' },
  ]);
  t.match((await endedStream(served, body.streamId as string)).outcome, {
    kind: 'none',
    decision: 'INCONCLUSIVE',
    cause: 'failed',
  });
});

void t.test('A rate that is none is refused before anything is heard', async (t) => {
  const { body } = await api('POST', '/v1/streams', { mode: 'passive', accountId: 'caller', pin: goodPin });
  const client = new OwnClient(body.url as string);
  await client.say({ ...hello, sampleRateHz: 100 });
  t.equal(await client.gone, 4400);
  t.match(client.messages, [{ type: 'error', code: 'invalid_request' }]);
  t.equal((await api('GET', `/v1/streams/${body.streamId as string}`)).body.state, 'registered', 'it may be taken yet');
});

/** Keys pressed one after another: 0.1 s of two tones (ITU-T Q.23), 0.1 s of nothing. */
function keys(length: number, peak: number): Float32Array {
  const [low, high] = [
    [697, 770, 852, 941],
    [1209, 1336, 1477],
  ];
  return Float32Array.from({ length }, (_, n) => {
    const key = Math.floor(n / 1600);
    if (n % 1600 >= 800) return 0;
    const tone = (hertz = 0) => Math.sin((2 * Math.PI * hertz * n) / 8000);
    return peak * (tone(low?.[key % 4]) + tone(high?.[key % 3]));
  });
}
