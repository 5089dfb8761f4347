import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { startEnrolment } from '../../src/service/enrolments.js';
import { getStream } from '../../src/service/streams.js';
import { verify } from '../../src/service/verify.js';
import { unlockAccount } from '../../src/service/accounts.js';
import { withdrawConsent } from '../../src/service/consents.js';
import type { MediaFormat, SessionInput } from '../../src/telephony/session-io.js';
import { callerCall, utterance } from '../audio/made-call.js';
import { goodPin, noProof } from '../service/harness.js';
import { endedStream, enrolCaller, l16, openLive, Outputs } from './harness.js';

t.setTimeout(240_000);
const live = await openLive(t);
const { context, full, opaque, calls, timers } = live;
await enrolCaller(live, 'caller', 'zh-f4');
// Refusals are counted: no test is to lock the next one out.
t.beforeEach(() => unlockAccount(context, full, 'caller', { agentId: null, reason: null }));
const own = await callerCall('zh-f4', [
  'verify-1',
  'verify-2',
  'verify-3',
  'verify-4',
  'enrol-4',
  'enrol-5',
  'verify-1',
  'verify-2',
]);
const other = await callerCall('en-rms', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const mono: MediaFormat = { encoding: 'l16-le', sampleRateHz: 8000, channels: ['customer'] };

/** Plays a call into a session, cut at random, at a pace that is random too. */
async function play(token: string, inputs: readonly SessionInput[], seed = 1, sink = new Outputs()) {
  const random = seededRandom(seed);
  const call = await calls.open('voicegate', token, sink.sink);
  for (const input of inputs) {
    if (input.kind !== 'audio') {
      call.accept(input);
      continue;
    }
    for (let at = 0; at < input.bytes.length;) {
      const next = Math.min(input.bytes.length, at + 1 + Math.floor(random() ** 4 * 30_000));
      call.accept({ ...input, bytes: input.bytes.subarray(at, next) });
      at = next;
      if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, random() * 15));
    }
  }
  await sink.until('closed');
  return { sink, call, verdict: sink.of('verdict')[0]?.answer.verification };
}
const spoken = (samples: Float32Array, media = mono): SessionInput[] => [
  { kind: 'hello', media },
  { kind: 'audio', bytes: l16(samples) },
  { kind: 'end' },
];

void t.test('A passive call is accepted as soon as it is sure, with interim results before', async (t) => {
  const { token, streamId } = await live.register({ accountId: 'caller', pin: goodPin });
  const { sink, verdict } = await play(token, spoken(own));
  t.equal(verdict?.decision.kind, 'ACCEPT');
  t.equal(verdict?.evidence.challenge, 'not_required');
  t.equal(sink.all.at(-1)?.kind, 'closed');
  t.ok(sink.of('progress').length > 3);
  const interim = sink.of('interim');
  t.ok(interim.length >= 1);
  t.equal(interim.at(-1)?.cumulative.decision, 'accepted');
  t.ok(
    ((verdict?.evidence.quality.kind === 'measured' && verdict.evidence.quality.report.totalSeconds) as number) <
      own.length / 8000,
  );
  const seen = await getStream(context, full, streamId);
  t.same([seen.state, seen.outcome?.kind], ['ended', 'verdict']);
});

void t.test(
  'However it is cut and paced, a call has the verdict and the scores of the file of the same samples',
  async (t) => {
    for (const [samples, name] of [
      [own, 'own'],
      [other, 'other'],
    ] as const) {
      const scores = [];
      for (const seed of [1, 2, 3]) {
        const { token } = await live.register({ accountId: 'caller', pin: goodPin });
        const { verdict } = await play(token, spoken(samples), seed);
        if (verdict === undefined) return t.fail('no verdict');
        scores.push({
          decision: verdict.decision,
          evidence: { ...verdict.evidence, voice: { ...verdict.evidence.voice, voiceprintAgeSeconds: 0 } },
        });
      }
      t.strictSame(scores[1], scores[0], `${name}, another cut`);
      t.strictSame(scores[2], scores[0], `${name}, a third`);
      const quality = scores[0]?.evidence.quality;
      if (quality?.kind !== 'measured') return t.fail('not measured');
      const heard = samples.subarray(0, Math.round(quality.report.totalSeconds * 8000));
      const { verification } = await verify(context, full, {
        accountId: 'caller',
        challengeId: null,
        audio: { bytes: l16(heard).swap16(), contentType: 'audio/L16;rate=8000', channel: null },
        pin: goodPin,
        tier: 'low',
        continues: null,
        identifiedByAgent: false,
        call: { callId: null, lineNumber: null, channel: null, agentId: null },
      });
      t.same(verification.decision, scores[0]?.decision, `${name}: the file’s decision`);
      const [file, call] = [verification.evidence, scores[0]?.evidence];
      if (file.voice.kind !== 'compared' || call?.voice.kind !== 'compared' || file.quality.kind !== 'measured')
        return t.fail('not compared');
      t.ok(Math.abs(file.voice.llr - call.voice.llr) < 1e-4, `${name}: LLR ${file.voice.llr} and ${call.voice.llr}`);
      t.ok(Math.abs(file.voice.cosine - call.voice.cosine) < 1e-4);
      t.same(file.quality.report, quality.report);
      t.ok(Math.abs((file.quality.minWindowCosine ?? 0) - (quality.minWindowCosine ?? 0)) < 1e-4);
    }
  },
);

void t.test('Another voice is refused early', async (t) => {
  const { token } = await live.register({ accountId: 'caller', pin: goodPin });
  const { verdict, sink } = await play(token, spoken(other));
  t.equal(verdict?.decision.kind, 'REJECT');
  t.same(verdict?.decision.reasons, ['VOICE_MISMATCH']);
  t.equal(sink.of('interim').at(-1)?.cumulative.decision, 'rejected');
});

void t.test('A call that ends too soon is INCONCLUSIVE, and nothing else is accepted by accident', async (t) => {
  for (const samples of [own.subarray(0, 4000), new Float32Array(40_000), new Float32Array(0)]) {
    const { token } = await live.register({ accountId: 'caller', pin: goodPin });
    const { verdict } = await play(token, spoken(samples));
    t.equal(verdict?.decision.kind, 'INCONCLUSIVE');
    t.equal(verdict?.decision.reasons[0], 'NOT_ENOUGH_SPEECH');
  }
});

void t.test('The customer is heard on either leg of two, and never mixed with the agent', async (t) => {
  const length = Math.min(own.length, other.length);
  const both = new Float32Array(2 * length);
  for (let n = 0; n < length; n++) {
    both[2 * n] = other[n] as number;
    both[2 * n + 1] = own[n] as number;
  }
  const verdictOf = async (channels: MediaFormat['channels']) => {
    const { token } = await live.register({ accountId: 'caller', pin: goodPin });
    return (await play(token, spoken(both, { ...mono, channels }))).verdict?.decision.kind;
  };
  t.equal(await verdictOf(['agent', 'customer']), 'ACCEPT');
  t.equal(await verdictOf(['customer', 'agent']), 'REJECT');
  const { token } = await live.register({ accountId: 'caller', pin: goodPin });
  const { sink } = await play(token, [{ kind: 'hello', media: { ...mono, channels: ['agent'] } }]);
  t.equal(sink.of('error')[0]?.code, 'audio_channel_invalid');
  t.equal(sink.of('closed')[0]?.reason, 'failed');
});

void t.test(
  'An active call ends by itself when the caller falls silent, and is judged with its challenge',
  async (t) => {
    const { token, challenge } = await live.register({ accountId: 'caller', mode: 'active', pin: goodPin });
    t.match(challenge?.digits, /^\d{8}$/);
    const said = await utterance('zh-f4', 'verify-2');
    const waiting = new Float32Array(said.length + 8 * 8000);
    waiting.set(said, 8000);
    const { verdict } = await play(token, spoken(waiting).slice(0, 2));
    t.equal(verdict?.decision.kind, 'ACCEPT');
    t.equal(verdict?.challengeId, challenge?.challengeId);
    const report = verdict?.evidence.quality.kind === 'measured' ? verdict.evidence.quality.report : null;
    t.ok((report?.totalSeconds ?? 99) < said.length / 8000 + 4, 'it did not wait for the end of the audio');
  },
);

void t.test('A token works once, for its protocol, in time, and while its key does', async (t) => {
  const { token } = await live.register({ accountId: 'caller' });
  await t.rejects(
    calls.open('twilio', token, () => undefined),
    { code: 'stream_unknown' },
  );
  await play(token, spoken(new Float32Array(0)));
  await t.rejects(
    calls.open('voicegate', token, () => undefined),
    { code: 'stream_unknown' },
  );
  await t.rejects(
    calls.open('voicegate', 'a0000000-0000-4000-8000-000000000000', () => undefined),
    { code: 'stream_unknown' },
  );
  const late = await live.register({ accountId: 'caller' });
  live.wait(121);
  t.equal((await getStream(context, full, late.streamId)).state, 'expired');
  await t.rejects(
    calls.open('voicegate', late.token, () => undefined),
    { code: 'stream_unknown' },
  );
});

void t.test('Without consent nothing of the voice is embedded; an opaque key cannot tell', async (t) => {
  await enrolCaller(live, 'withdrew', 'zh-f4');
  await withdrawConsent(context, full, 'withdrew');
  const known = await live.register({ accountId: 'withdrew', pin: goodPin });
  t.equal((await play(known.token, spoken(own))).verdict?.decision.kind, 'STEP_UP');
  for (const accountId of ['withdrew', 'nobody']) {
    const { token } = await live.register({ accountId, pin: goodPin }, opaque);
    const { verdict, sink } = await play(token, spoken(own));
    t.match(verdict?.decision.kind, /REJECT|INCONCLUSIVE/);
    t.ok(
      sink.of('interim').every(({ cumulative, incremental }) => cumulative.llr === null && incremental.llr === null),
    );
  }
});

void t.test('A broken connection is gone on with by its resume token, and without it the call is lost', async (t) => {
  const { token } = await live.register({ accountId: 'caller', pin: goodPin });
  const before = new Outputs();
  const call = await calls.open('voicegate', token, before.sink);
  call.accept({ kind: 'hello', media: mono });
  const cut = 3 * 8000;
  call.accept({ kind: 'audio', bytes: l16(own.subarray(0, cut)) });
  call.detach();
  const after = new Outputs();
  t.throws(() => calls.resume('voicegate', token, after.sink), { code: 'stream_unknown' });
  const again = calls.resume('voicegate', call.resumeToken, after.sink);
  t.equal(again.takenSeconds, 3);
  again.accept({ kind: 'hello', media: mono });
  again.accept({ kind: 'audio', bytes: l16(own.subarray(cut, cut + 25 * 8000)) });
  again.accept({ kind: 'end' });
  await after.until('closed');
  t.equal(after.of('verdict')[0]?.answer.verification.decision.kind, 'ACCEPT');

  const lost = await live.register({ accountId: 'caller', pin: goodPin });
  const gone = await calls.open('voicegate', lost.token, () => undefined);
  gone.accept({ kind: 'hello', media: mono });
  gone.accept({ kind: 'audio', bytes: l16(own.subarray(0, 8000)) });
  gone.detach();
  timers.pass(30_001);
  const seen = await endedStream(live, lost.streamId);
  t.match(seen.outcome, { kind: 'none', decision: 'INCONCLUSIVE', cause: 'lost' });
});

void t.test('An enrolment in a call makes the print by itself', async (t) => {
  await enrolCaller(live, 'again', 'zh-m5');
  const { enrolmentId } = await startEnrolment(context, full, 'again', {
    language: 'zh',
    proof: { ...noProof, pin: goodPin },
  });
  const { token, streamId } = await live.register({ mode: 'enrolment', enrolmentId });
  const { sink } = await play(token, spoken(own));
  t.ok(sink.of('utterance').filter((one) => one.accepted).length >= 3);
  t.equal(sink.of('enrolled').length, 1);
  t.equal((await getStream(context, full, streamId)).outcome?.kind, 'enrolled');
  const check = await live.register({ accountId: 'again', pin: goodPin });
  t.equal((await play(check.token, spoken(own))).verdict?.decision.kind, 'ACCEPT');
});

void t.test('Without audio what was heard is judged; a pause is no silence of a dead peer', async (t) => {
  const { token } = await live.register({ accountId: 'caller', pin: goodPin });
  const outputs = new Outputs();
  const call = await calls.open('voicegate', token, outputs.sink);
  call.accept({ kind: 'hello', media: mono });
  call.accept({ kind: 'pause' });
  timers.pass(60_000);
  t.equal(outputs.of('closed').length, 0);
  call.accept({ kind: 'resume' });
  timers.pass(15_001);
  await outputs.until('closed');
  t.equal(outputs.of('verdict')[0]?.answer.verification.decision.kind, 'INCONCLUSIVE');
});

void t.test('A stopping service ends its calls without a verdict, and nothing is left of any call', async (t) => {
  const { token, streamId } = await live.register({ accountId: 'caller', pin: goodPin });
  const outputs = new Outputs();
  const call = await calls.open('voicegate', token, outputs.sink);
  call.accept({ kind: 'hello', media: mono });
  await calls.close();
  t.equal(outputs.of('closed')[0]?.reason, 'shutting_down');
  t.match((await getStream(context, full, streamId)).outcome, {
    decision: 'INCONCLUSIVE',
    reasons: ['SERVICE_RESTARTED'],
  });
  t.equal(calls.count, 0);
  t.equal(timers.pending, 0, 'no timer waits');
  await t.rejects(
    calls.open('voicegate', token, () => undefined),
    { code: 'shutting_down' },
  );
});
