import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { ChunkDecoder } from '../../src/audio/chunk-decoder.js';
import { alawTable, expandG711, mulawTable } from '../../src/audio/g711.js';
import { unlockAccount } from '../../src/service/accounts.js';
import { callerCall, utterance } from '../audio/made-call.js';
import { tone } from '../audio/made-audio.js';
import { goodPin } from '../service/harness.js';
import { until } from '../until.js';
import { endedStream, enrolCaller, eventsOf, l16, leftCalls, openServed, sameAsFile } from './harness.js';
import { g711, StreamConnection, StreamScript, twilioSignature, type Dialect } from './media-streams-client.js';

t.setTimeout(240_000);
const authToken = 'twilio-auth-token';
const served = await openServed(t, {
  twilioAuthTokens: ['the next one', authToken],
  publicUrl: 'https://voice.example.com',
});
const { api, base, context, full, timers } = served;
await enrolCaller(served, 'caller', 'zh-f4');
t.beforeEach(() => unlockAccount(context, full, 'caller', { agentId: null, reason: null }));
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const other = await callerCall('en-rms', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const codes = g711(own, 'mulaw');
const decoded = expandG711(codes, mulawTable, 1, 0);

async function registered(protocol: Dialect, changes: object = {}) {
  const { status, body } = await api('POST', '/v1/streams', {
    mode: 'passive',
    accountId: 'caller',
    pin: goodPin,
    protocol,
    ...changes,
  });
  t.equal(status, 201);
  return body as { readonly streamId: string; readonly url: string; readonly token: string };
}
/** A connection to the address of a registration, past the proxy that the public name stands for. */
function connect(url: string, headers: Readonly<Record<string, string>> = {}): StreamConnection {
  const signature = { 'x-twilio-signature': twilioSignature(authToken, url) };
  return new StreamConnection(url.replace('wss://voice.example.com', base.replace('http', 'ws')), {
    ...(url.includes('/twilio') ? signature : {}),
    ...headers,
  });
}
async function verdictOf(streamId: string): Promise<Record<string, any> | undefined> {
  return (await eventsOf(served, streamId)).find(({ name }) => name === 'verdict')?.data;
}

void t.test('A Twilio call, however its packets come, has the verdict and scores of the file', async (t) => {
  for (const seed of [1, 2]) {
    const { streamId, url, token } = await registered('twilio');
    t.equal(url, `wss://voice.example.com/v1/streams/twilio/${token}`);
    const connection = connect(url);
    await connection.say(
      ...new StreamScript('twilio').start().media({ inbound: codes }).stop().through(seededRandom(seed)),
    );
    const verdict = await verdictOf(streamId);
    t.equal(verdict?.decision, 'ACCEPT');
    await sameAsFile(t, served, verdict, decoded);
    t.same(await connection.gone, { code: 1000, reason: 'completed' }, 'so that the call goes on');
    t.same(connection.received, [], 'Twilio is sent nothing: it has no message for it');
  }
});

void t.test('Lost packets are silence of their length', async (t) => {
  const lost = (n: number): boolean => n % 50 === 7 || (n >= 200 && n < 204);
  const holed = Float32Array.from(decoded, (sample, n) => (lost(Math.floor(n / 160)) ? 0 : sample));
  const { streamId, url } = await registered('twilio');
  await connect(url).say(
    ...new StreamScript('twilio').start().media({ inbound: codes }).stop().through(seededRandom(3), { lost }),
  );
  await sameAsFile(t, served, await verdictOf(streamId), holed);
});

void t.test('Of two tracks the customer’s is heard, whichever it is', async (t) => {
  const length = Math.min(own.length, other.length);
  const tracks = { inbound: g711(other.subarray(0, length), 'mulaw'), outbound: codes.subarray(0, length) };
  const decisionWith = async (parameters: Record<string, string>) => {
    const { streamId, url } = await registered('twilio');
    await connect(url).say(
      ...new StreamScript('twilio')
        .start({ tracks: ['inbound', 'outbound'], parameters })
        .media(tracks)
        .stop()
        .through(seededRandom(4)),
    );
    return verdictOf(streamId);
  };
  const placed = await decisionWith({ customerTrack: 'outbound', other: 'of the operator' });
  t.equal(placed?.decision, 'ACCEPT');
  await sameAsFile(t, served, placed, decoded.subarray(0, length));
  t.equal((await decisionWith({}))?.decision, 'REJECT');
  const { url } = await registered('twilio');
  const connection = connect(url);
  await connection.say(...new StreamScript('twilio').start({ parameters: { customerTrack: 'outbound' } }).messages);
  t.same(await connection.gone, { code: 4400, reason: 'audio_channel_invalid' }, 'the customer’s track is not there');
});

void t.test('Telnyx calls in their encodings, named by the address or by a parameter', async (t) => {
  const wide = new Float32Array(2 * own.length);
  own.forEach((sample, n) => {
    wide[2 * n] = sample;
    wide[2 * n + 1] = (sample + (own[n + 1] ?? 0)) / 2;
  });
  const wideBytes = l16(wide);
  const resampler = new ChunkDecoder({ encoding: 'l16-le', sampleRateHz: 16_000, channels: 1 }, 8000);
  const narrow = Float32Array.from([...(resampler.accept(wideBytes)[0] ?? []), ...(resampler.finish()[0] ?? [])]);
  const alaw = g711(own, 'alaw');
  const cases = [
    { told: { encoding: 'PCMA' }, bytes: alaw, rate: 8000, heard: expandG711(alaw, alawTable, 1, 0), packetMs: 20 },
    {
      told: { encoding: 'L16', sampleRateHz: 16_000 },
      bytes: Buffer.from(wideBytes).swap16(),
      rate: 32_000,
      heard: narrow,
      packetMs: 20,
    },
    {
      // 641 bytes: half a sample at each packet's end.
      told: { encoding: 'L16', sampleRateHz: 16_000, parameters: { byteOrder: 'little' } },
      bytes: wideBytes,
      rate: 32_000,
      heard: narrow,
      packetMs: 20.03125,
    },
  ];
  for (const { told, bytes, rate, heard, packetMs } of cases) {
    const { streamId, url, token } = await registered('telnyx');
    const bare = told.encoding === 'PCMA';
    const connection = connect(bare ? url.replace(`/${token}`, '') : url);
    const parameters = { ...(bare ? { token } : {}), ...('parameters' in told ? told.parameters : {}) };
    const script = new StreamScript('telnyx')
      .start({ ...told, parameters })
      .media({ inbound: bytes }, rate, packetMs)
      .stop();
    await connection.say(...script.through(seededRandom(5)));
    const verdict = await verdictOf(streamId);
    t.equal(verdict?.decision, 'ACCEPT', JSON.stringify(told));
    await sameAsFile(t, served, verdict, heard);
    t.same(connection.received, []);
  }
  const { streamId, url } = await registered('telnyx');
  await connect(`${url}?customerTrack=outbound`).say(
    ...new StreamScript('telnyx').start().media({ outbound: codes }).stop().messages,
  );
  t.equal((await verdictOf(streamId))?.decision, 'ACCEPT', 'the track by the address');
});

void t.test('Who did not sign, or brings no call that waits, is not let in', async (t) => {
  const { url } = await registered('twilio');
  const wrong = { 'x-twilio-signature': twilioSignature('guessed', url) };
  t.equal(await connect(url, wrong).status, 403);
  t.equal(await new StreamConnection(url.replace('wss://voice.example.com', base.replace('http', 'ws'))).status, 403);
  const unknown = url.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000');
  t.equal(await connect(unknown).status, 404);
  t.equal(await connect(unknown.replace('twilio', 'telnyx')).status, 404);
  t.equal(
    await connect((await registered('telnyx')).url.replace('telnyx', 'twilio')).status,
    404,
    'of another protocol',
  );
  const nameless = connect(url.replace(/\/[^/]+$/, ''));
  await nameless.say(...new StreamScript('twilio').start().messages);
  t.same(
    await nameless.gone,
    { code: 4404, reason: 'stream_unknown' },
    'neither the address nor a parameter has a token',
  );
  const again = connect(url);
  t.equal(await again.status, 101, 'the call itself still waits');
  again.socket.close();
  await again.gone;
});

void t.test('Malformed messages are refused, messages that nobody knows are not', async (t) => {
  const { url } = await registered('telnyx');
  const [connected, start] = new StreamScript('telnyx').start().messages as [object, { readonly start: object }];
  const media = {
    event: 'media',
    sequence_number: '2',
    media: { track: 'inbound', chunk: '1', timestamp: '0', payload: '' },
  };
  const before: [string, unknown][] = [
    ['no JSON', '{'],
    ['no object', '[]'],
    ['null', 'null'],
    ['no event', '{}'],
    ['an event that is no text', '{"event":{"toString":"start"}}'],
    ['deep', '['.repeat(300_000)],
    ['deep and closed', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['no start', { event: 'start' }],
    ['a format that is none', { event: 'start', start: { ...start.start, media_format: 'PCMU' } }],
    ['a rate that is an object', { event: 'start', start: { media_format: { encoding: 'PCMU', sample_rate: {} } } }],
    ['a token that is a list', { event: 'start', start: { custom_parameters: { token: ['a'] } } }],
    ['a track that is none', { event: 'start', start: { custom_parameters: { customerTrack: 'both' } } }],
    ['media before the start', media],
    ['a binary frame', Buffer.alloc(160)],
  ];
  for (const [name, message] of before) {
    const connection = connect(url);
    await connection.say(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    t.same(await connection.gone, { code: 4400, reason: 'invalid_request' }, name);
  }
  for (const [told, reason] of [
    [{ encoding: 'OPUS', sample_rate: 16_000 }, 'audio_format_unsupported'],
    [{ encoding: 'PCMU', sample_rate: 8 }, 'audio_rate_unsupported'],
    [{ encoding: 'L16', sample_rate: '999999' }, 'audio_rate_unsupported'],
    [{ encoding: 'PCMU', sample_rate: 8000, channels: 2 }, 'audio_channel_invalid'],
  ] as const) {
    const connection = connect(url);
    await connection.say(JSON.stringify({ event: 'start', start: { media_format: told } }));
    t.same(await connection.gone, { code: 4400, reason }, JSON.stringify(told));
  }
  const huge = connect(url);
  await huge.say('x'.repeat(2 ** 20 + 1));
  t.equal((await huge.gone).code, 1009);
  for (const [name, message] of [
    ['a second start', start],
    ['a payload that is no base64', { ...media, media: { ...media.media, payload: '<audio>' } }],
    ['no payload', { ...media, media: {} }],
    ['a chunk that is an object', { ...media, media: { ...media.media, chunk: { valueOf: 1 } } }],
    ['a negative chunk', { ...media, media: { ...media.media, chunk: -1 } }],
    ['a track that is none', { ...media, media: { ...media.media, track: 'customer' } }],
    ['a key that is none', { event: 'dtmf', dtmf: { digit: '12' } }],
  ] as const) {
    const { streamId, url: fresh } = await registered('telnyx');
    const connection = connect(fresh);
    await connection.say(JSON.stringify(connected), JSON.stringify(start), JSON.stringify(message));
    t.same(await connection.gone, { code: 4400, reason: 'invalid_request' }, name);
    t.match(await endedStream(served, streamId), { outcome: { cause: 'failed' } });
  }
  const { streamId, url: good } = await registered('telnyx');
  const script = new StreamScript('telnyx').start().media({ inbound: codes }).stop().messages;
  script.splice(5, 0, { event: 'mark', mark: { name: 'x' } }, { event: 'invented', __proto__: null, more: [{}] });
  script.splice(9, 0, JSON.parse('{"event":"error","__proto__":{"event":"stop"},"payload":{"code":1}}'));
  await connect(good).say(...script);
  t.equal((await verdictOf(streamId))?.decision, 'ACCEPT');
});

void t.test('Nothing is accepted by accident: silence, another voice with keys in it, the wrong rate', async (t) => {
  const keyed = Float32Array.from(other);
  for (let at = 8000; at + 2400 < keyed.length; at += 16_000) {
    const [low, high] = [tone(770, 0.3, 8000, 0.3), tone(1336, 0.3, 8000, 0.3)];
    low.forEach((sample, n) => (keyed[at + n] = sample + (high[n] ?? 0)));
  }
  for (const [name, bytes, encoding] of [
    ['silence', new Uint8Array(400_000).fill(255), 'PCMU'],
    ['another voice with keys', g711(keyed, 'mulaw'), 'PCMU'],
    ['µ-law said to be A-law of 16 kHz', codes, 'PCMA'],
  ] as const) {
    const { streamId, url } = await registered('telnyx');
    const told = encoding === 'PCMA' ? { encoding, sampleRateHz: 16_000 } : { encoding };
    await connect(url).say(...new StreamScript('telnyx').start(told).media({ inbound: bytes }).stop().messages);
    t.match((await verdictOf(streamId))?.decision, /^(REJECT|INCONCLUSIVE|CONTINUE|STEP_UP)$/, name);
  }
  const ownKeyed = Float32Array.from(own);
  tone(770, 0.3, 8000, 0.3).forEach((sample, n) => (ownKeyed[12_000 + n] = sample));
  const keyedCodes = g711(ownKeyed, 'mulaw');
  const { streamId, url } = await registered('twilio');
  const script = new StreamScript('twilio').start().media({ inbound: keyedCodes }).dtmf('5').stop();
  await connect(url).say(...script.messages);
  await sameAsFile(t, served, await verdictOf(streamId), expandG711(keyedCodes, mulawTable, 1, 0));
});

void t.test('The key # ends an answer to a challenge; so do a stop, a goodbye and silence of the peer', async (t) => {
  const said = g711(await utterance('zh-f4', 'verify-2'), 'mulaw');
  const active = { mode: 'active', pin: goodPin };
  const keyed = await registered('twilio', active);
  const connection = connect(keyed.url);
  await connection.say(...new StreamScript('twilio').start().media({ inbound: said }).dtmf('#').messages);
  t.equal((await connection.gone).code, 1000);
  t.match((await verdictOf(keyed.streamId))?.decision, /^(ACCEPT|CONTINUE|STEP_UP)$/);

  const hungUp = await registered('twilio');
  const gone = connect(hungUp.url);
  await gone.say(
    ...new StreamScript('twilio')
      .start()
      .media({ inbound: codes.subarray(0, 4000) })
      .stop().messages,
  );
  gone.socket.close(1000);
  t.match(await verdictOf(hungUp.streamId), { decision: 'INCONCLUSIVE', reasons: ['NOT_ENOUGH_SPEECH'] });

  const silent = await registered('twilio');
  const idle = connect(silent.url);
  await idle.say(...new StreamScript('twilio').start().messages);
  for (let tries = 0; tries < 200 && (await api('GET', `/v1/streams/${silent.streamId}`)).body.state !== 'live';)
    tries++;
  timers.pass(15_001);
  t.same(await idle.gone, { code: 1000, reason: 'completed' });
  t.match(await verdictOf(silent.streamId), { decision: 'INCONCLUSIVE' });
});

void t.test('A peer that vanishes leaves no verdict of half a call, and nothing else', async (t) => {
  const { streamId, url } = await registered('twilio');
  const connection = connect(url);
  await connection.say(...new StreamScript('twilio').start().media({ inbound: codes.subarray(0, 24_000) }).messages);
  await until(() => served.telephony.calls.count === 1);
  connection.socket.terminate();
  await leftCalls(served, 1);
  t.equal(await connect(url).status, 404, 'Twilio does not come back');
  timers.pass(30_001);
  t.match((await eventsOf(served, streamId)).at(-1), { name: 'closed', data: { reason: 'lost' } });
  t.match((await endedStream(served, streamId)).outcome, { decision: 'INCONCLUSIVE', cause: 'lost' });
});

void t.test('Without an auth token there is no door for Twilio, and whoever registers a call is told so', async (t) => {
  const closed = await openServed(t, { twilioAuthTokens: [] });
  await enrolCaller(closed, 'caller', 'zh-f4');
  const { status, body } = await closed.api('POST', '/v1/streams', {
    mode: 'passive',
    accountId: 'caller',
    protocol: 'twilio',
  });
  t.equal(status, 400);
  t.match(body, { code: 'invalid_request', title: /twilio/, hint: /VOICEGATE_TWILIO_AUTH_TOKENS/ });
  const socket = new StreamConnection(`${closed.base.replace('http', 'ws')}/v1/streams/twilio/x`);
  t.equal(await socket.status, 404);
  const host = new URL(closed.base).host;
  const open = await openServed(t, { twilioAuthTokens: [authToken] });
  const there = new URL(open.base).host;
  t.not(there, host);
  const address = `wss://${there}/v1/streams/twilio`;
  const signed = new StreamConnection(address.replace('wss', 'ws'), {
    'x-twilio-signature': twilioSignature(authToken, address),
  });
  t.equal(await signed.status, 101, 'without a public address the host that the request names is what was signed');
  signed.socket.close();
  await signed.gone;
});
