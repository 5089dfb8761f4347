import t from 'tap';
import { withdrawConsent } from '../../src/service/consents.js';
import { cancelEnrolment, getEnrolment, startEnrolment } from '../../src/service/enrolments.js';
import { getAccount, putAccount } from '../../src/service/accounts.js';
import type { LiveCall, MediaFormat, SessionOutput } from '../../src/telephony/session-io.js';
import { callerCall } from '../audio/made-call.js';
import { defaultPolicy } from '../../src/decision/policy.js';
import { listDuplicates } from '../../src/service/duplicates.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import { consented, noProof } from '../service/harness.js';
import { endedStream, l16, openLive, Outputs } from './harness.js';

t.setTimeout(240_000);
const live = await openLive(t);
const { context, full, calls } = live;
const customer = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const mono: MediaFormat = { encoding: 'l16-le', sampleRateHz: 8000, channels: ['customer'] };

/** A consented account with an open enrolment, and the token of a call for it. */
async function begun(accountId: string) {
  await putAccount(context, full, accountId);
  await consented(live, accountId);
  const { enrolmentId } = await startEnrolment(context, full, accountId, {
    language: 'zh',
    proof: { ...noProof, agentId: 'a7' },
  });
  const stream = await live.register({ mode: 'enrolment', enrolmentId });
  return { enrolmentId, ...stream };
}

/** Plays samples a second at a time, as fast as they are taken. */
async function play(call: LiveCall, outputs: Outputs, samples: Float32Array): Promise<void> {
  for (let at = 0; at < samples.length; at += 8000) {
    const drained = outputs.of('drained').length;
    if (call.accept({ kind: 'audio', bytes: l16(samples.subarray(at, at + 8000)) })) continue;
    while (outputs.of('drained').length === drained && outputs.of('closed').length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const kindsOf = (outputs: readonly SessionOutput[]): string[] => [...new Set(outputs.map(({ kind }) => kind))];

void t.test('An enrolment tells how far it is and what to do next, and completes by itself', async (t) => {
  const { token } = await begun('c1');
  const outputs = new Outputs();
  const call = await calls.open('voicegate', token, outputs.sink);
  call.accept({ kind: 'hello', media: mono });
  await play(call, outputs, new Float32Array(10 * 8000));
  await play(call, outputs, customer);
  await outputs.until('closed');
  t.same(kindsOf(outputs.all).sort(), ['closed', 'drained', 'enrolled', 'progress', 'utterance'].sort());
  const hints = outputs.of('progress').map(({ enrolment }) => enrolment?.hint);
  t.equal(hints[0], 'keep_talking');
  t.ok(hints.includes('silence'), 'ten seconds without a word');
  t.equal(hints.filter((hint) => hint === 'silence').length, 1, 'said once');
  const kept = outputs.of('progress').map(({ enrolment }) => enrolment?.kept.utterances ?? -1);
  t.same(
    kept,
    [...kept].sort((a, b) => a - b),
    'what was kept only grows',
  );
  const utterances = outputs.of('utterance');
  t.equal(utterances.at(-1)?.hint, 'done');
  t.ok(
    utterances.every(({ accepted, hint, reasons }) => !accepted || (reasons.length === 0 && hint !== 'speak_longer')),
  );
});

void t.test(
  'Without consent a call for an enrolment is neither registered nor taken, and it is said why',
  async (t) => {
    const { enrolmentId, token } = await begun('c2');
    await withdrawConsent(context, full, 'c2');
    await t.rejects(live.register({ mode: 'enrolment', enrolmentId }), { code: 'consent_missing' });
    await t.rejects(
      calls.open('voicegate', token, () => undefined),
      { code: 'consent_missing' },
    );
  },
);

void t.test('Consent withdrawn in mid-call ends it within a second of audio, and nothing is kept', async (t) => {
  const { enrolmentId, token, streamId } = await begun('c3');
  const outputs = new Outputs();
  const call = await calls.open('voicegate', token, outputs.sink);
  call.accept({ kind: 'hello', media: mono });
  call.accept({ kind: 'audio', bytes: l16(customer.subarray(0, 6 * 8000)) });
  await outputs.until('utterance');
  await withdrawConsent(context, full, 'c3');
  const before = outputs.of('utterance').length;
  call.accept({ kind: 'audio', bytes: l16(customer.subarray(6 * 8000, 8 * 8000)) });
  await outputs.until('closed');
  t.equal(outputs.of('error')[0]?.code, 'consent_missing');
  t.equal(outputs.of('closed')[0]?.reason, 'ended');
  t.equal(outputs.of('utterance').length, before, 'nothing more was heard');
  t.equal((await getEnrolment(context, full, enrolmentId)).progress.utterances, 0, 'and what was kept is erased');
  t.equal((await getAccount(context, full, 'c3')).enrolled, false);
  t.match((await endedStream(live, streamId)).outcome, { kind: 'none', cause: 'ended' });
});

void t.test('A cancelled enrolment ends its running call without a print', async (t) => {
  const { enrolmentId, token, streamId } = await begun('c4');
  const outputs = new Outputs();
  const call = await calls.open('voicegate', token, outputs.sink);
  call.accept({ kind: 'hello', media: mono });
  call.accept({ kind: 'audio', bytes: l16(customer.subarray(0, 6 * 8000)) });
  await outputs.until('utterance');
  await cancelEnrolment(context, full, enrolmentId);
  call.accept({ kind: 'audio', bytes: l16(customer.subarray(6 * 8000)) });
  await outputs.until('closed');
  t.equal(outputs.of('error')[0]?.code, 'enrolment_closed');
  t.equal(outputs.of('closed')[0]?.reason, 'ended');
  t.match((await endedStream(live, streamId)).outcome, { kind: 'none', cause: 'ended' });
  t.equal((await getAccount(context, full, 'c4')).enrolled, false);
  await t.rejects(live.register({ mode: 'enrolment', enrolmentId }), { code: 'enrolment_closed' });
});

void t.test(
  'Where the policy refuses a voice of another account, the call ends neutrally and without a print',
  async (t) => {
    const enrolling = async (accountId: string) => {
      const { token, streamId } = await begun(accountId);
      const outputs = new Outputs();
      const call = await calls.open('voicegate', token, outputs.sink);
      call.accept({ kind: 'hello', media: mono });
      await play(call, outputs, customer);
      await outputs.until('closed');
      return { outputs, streamId };
    };
    const duplicates = { whenFound: 'refuse', falseAlarmsPerEnrolment: 0.1 } as const;
    const { version } = await storePolicy(context, full, { ...defaultPolicy, duplicates });
    await activatePolicy(context, full, version);
    // The caller of the first test has this voice.
    const { outputs, streamId } = await enrolling('c5');
    t.equal(outputs.of('error')[0]?.code, 'enrolment_under_review');
    t.notMatch(JSON.stringify(outputs.all), /c1"/);
    t.equal(outputs.of('closed')[0]?.reason, 'ended');
    t.match((await endedStream(live, streamId)).outcome, { kind: 'none', cause: 'ended' });
    t.equal((await getAccount(context, full, 'c5')).enrolled, false);
    const [found] = await listDuplicates(context, full, { onlyOpen: true, before: null, limit: 9 });
    t.match(found, { accountId: 'c5', otherAccountId: 'c1', outcome: 'refused' });
  },
);
