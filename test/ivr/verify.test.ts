import t from 'tap';
import { defaultPolicy, operatorLadder } from '../../src/decision/policy.js';
import { getAccount } from '../../src/service/accounts.js';
import { enrolled, goodPin, otherPin } from '../service/harness.js';
import { digitsHeard, openIvr, someone, spoken } from './harness.js';
import { testDialogues } from './test-dialogues.js';
import type { CallOutcome, TestCaller } from './vxml-browser.js';
import { parseVxml } from './vxml-rules.js';

const ivr = await openIvr(t);
const verifyPath = '/v1/ivr/vxml/verify';
const stateless = (outcome: CallOutcome): string[] =>
  outcome.documents.map((document) =>
    document.replace(/name="state" expr="'[^']*'"/, '').replace(/ver_[0-9a-f]+/, 'ver'),
  );
/** What can be told of a document's kind, whatever digits it reads out. */
const shape = (outcome: CallOutcome): string[] =>
  stateless(outcome).map((document) => document.replace(/[零一二三四五六七八九]/g, '数'));

void t.test('a caller with the right PIN and voice is accepted, and the gateway is told', async (t) => {
  await enrolled(ivr, '100001', 1);
  for (const language of ['zh', 'en']) {
    const outcome = await ivr.play(`${verifyPath}?language=${language}&callId=c-${language}`, someone('100001'));
    t.match(outcome, { how: 'exit', result: { decision: 'ACCEPT', verificationId: /^ver_/, tier: 'low' } });
    t.same(
      outcome.requests.map(({ method, path }) => `${method} ${path}`),
      [
        `GET ${verifyPath}?language=${language}&callId=c-${language}`,
        'POST /v1/ivr/vxml/next',
        'POST /v1/ivr/vxml/next',
      ],
    );
    t.match(outcome.documents[0], language === 'zh' ? 'xml:lang="zh-CN"' : 'xml:lang="en-US"');
    t.match(outcome.heard.at(-1), language === 'zh' ? /身份核实成功/ : /confirmed who you are/);
    const analyst = await ivr.key(['analyst']);
    const record = await ivr.call(analyst, 'GET', `/v1/verifications/${outcome.result.verificationId}`);
    t.match(record.body, { decision: 'ACCEPT', accountId: '100001', evidence: { pin: 'right' } });
  }
});

void t.test('the digits are read in groups, with pauses in which they can be kept in mind', async (t) => {
  const outcome = await ivr.play(`${verifyPath}?language=en`, someone('100001'));
  const document = outcome.documents[1] ?? '';
  t.equal(document.match(/<break time="250ms"\/>/g)?.length, 6);
  t.equal(document.match(/<break time="800ms"\/>/g)?.length, 1);
  t.match(
    document,
    /<record name="utterance" beep="true" dtmfterm="true" type="audio\/x-wav" maxtime="20s" finalsilence="2s">/,
  );
  t.match(document, /<prompt bargein="false">/);
});

void t.test('used as a subdialog it returns', async (t) => {
  const outcome = await ivr.play(`${verifyPath}?ends=return&tier=standard`, someone('100001'));
  t.match(outcome, { how: 'return', result: { decision: 'STEP_UP', tier: 'standard' } });
});

void t.test('three wrong PINs end the dialogue, and the caller never hears what was wrong', async (t) => {
  await enrolled(ivr, '100002', 1);
  const wrongPin = await ivr.play(verifyPath, someone('100002', { pin: otherPin }));
  t.match(wrongPin, { how: 'exit', result: { decision: 'REJECT' } });
  t.equal(wrongPin.documents.length, 7, 'three times account and PIN, three challenges, the end');
  const wrongVoice = await ivr.play(verifyPath, someone('100001', { voice: 6 }));
  t.same(shape(wrongVoice), shape(wrongPin));
});

void t.test('an unknown account gets the same documents as a known one, by keys that see nothing', async (t) => {
  await enrolled(ivr, '100003', 1);
  const known = await ivr.play(verifyPath, someone('100003', { pin: otherPin, voice: 5 }));
  const unknown = await ivr.play(verifyPath, someone('999999', { pin: otherPin, voice: 5 }));
  t.same(shape(unknown), shape(known));
  t.match(unknown.result, { decision: 'REJECT' });
});

void t.test('a key that sees everything asks as well, and sends callers without a voiceprint on at once', async (t) => {
  const outcome = await ivr.play(verifyPath, someone('999998'), { answer: 'full' });
  t.match(outcome, { how: 'exit', result: { decision: 'STEP_UP' } });
  t.equal(outcome.documents.length, 3);
});

void t.test('a locked account sounds like a wrong PIN, even with the right one', async (t) => {
  const locked = await openIvr(t);
  await locked.policy({ attempts: operatorLadder });
  await enrolled(locked, '100004', 1);
  const thief = await locked.play(verifyPath, someone('100004', { pin: otherPin, voice: 4 }));
  t.not((await getAccount(locked.context, locked.full, '100004')).lockedUntil, null);
  const owner = await locked.play(verifyPath, someone('100004'));
  t.same(shape(owner), shape(thief));
});

void t.test('other digits are refused where the policy counts them', async (t) => {
  const strict = await openIvr(t);
  strict.ears.languageStatus = 'supported';
  await enrolled(strict, '100005', 1);
  const outcome = await strict.play(verifyPath, someone('100005', { says: () => ({ says: '00000000' }) }));
  t.match(outcome.result, { decision: 'REJECT' });
  t.match(await strict.play(verifyPath, someone('100005')), { result: { decision: 'ACCEPT' } });
});

void t.test('silence and noise are asked for again by CONTINUE, which then accepts', async (t) => {
  await enrolled(ivr, '100006', 1);
  let utterances = 0;
  const outcome = await ivr.play(
    verifyPath,
    someone('100006', { says: () => (utterances++ < 2 ? { netSpeechSeconds: 0.4 } : {}) }),
  );
  t.match(outcome.result, { decision: 'ACCEPT' });
  t.equal(utterances, 3);
  t.equal(outcome.documents.length, 5, 'account and PIN are asked for once');
  t.match(outcome.heard.join('\n'), /还需要再确认一次/);
});

void t.test('too many CONTINUEs end in STEP_UP', async (t) => {
  const outcome = await ivr.play(verifyPath, someone('100006', { says: () => ({ netSpeechSeconds: 0.4 }) }));
  t.match(outcome.result, { decision: 'STEP_UP' });
  t.equal(outcome.documents.length, 3 + defaultPolicy.continuesPerCall);
});

void t.test('who says or presses nothing is asked three times', async (t) => {
  const mute = await ivr.play(verifyPath, someone('100006', { says: () => null }));
  t.match(mute, { how: 'exit', result: { decision: 'INCONCLUSIVE', verificationId: '', tier: 'low' } });
  t.equal(mute.heard.filter((text) => text.includes('没有听到')).length, 2);
  const idle = await ivr.play(`${verifyPath}?language=en`, { press: () => null, speak: () => null });
  t.match(idle, { how: 'exit', result: { decision: 'INCONCLUSIVE' } });
  t.equal(idle.requests.length, 1);
  const clumsy = await ivr.play(verifyPath, someone('100006', { keys: { pin: '12' } }));
  t.match(clumsy, { how: 'exit', result: { decision: 'INCONCLUSIVE' } });
  t.match(clumsy.heard.join('\n'), /输入有误/);
});

void t.test(
  'a recording that cannot be used is asked for again with the same digits, and uses nothing up',
  async (t) => {
    const heard: string[] = [];
    const outcome = await ivr.play(verifyPath, {
      ...someone('100006'),
      speak: (said) => {
        heard.push(digitsHeard(said));
        return heard.length === 1
          ? { content: Buffer.alloc(0), type: 'audio/x-wav' }
          : spoken({ voice: 1, says: heard[0] });
      },
    });
    t.match(outcome.result, { decision: 'ACCEPT' });
    t.equal(heard[0], heard[1]);
  },
);

void t.test('who hangs up while speaking is not judged, and nothing is counted', async (t) => {
  await enrolled(ivr, '100007', 1);
  const before = ivr.logged().length;
  const outcome = await ivr.play(verifyPath, someone('100007', { pin: otherPin, says: () => 'hang up' }));
  t.match(outcome, { how: 'hung up', result: { decision: 'INCONCLUSIVE', verificationId: '' } });
  t.same(outcome.statuses, [200, 200, 200]);
  t.notMatch(ivr.logged().slice(before), /"level":50/);
  t.equal((await ivr.context.store.transaction('operator', (tx) => tx.attempts.get('100007'))).failures, 0);
  const earlier = await ivr.play(verifyPath, someone('100007', { keys: { pin: 'hang up' } }));
  t.match(earlier, { how: 'hung up', result: { decision: 'INCONCLUSIVE' } });
  t.match(await ivr.play(verifyPath, someone('100007')), { result: { decision: 'ACCEPT' } });
});

void t.test(
  'callers who were not accepted are connected to the agent of the setting, subdialogs leave that to their caller',
  async (t) => {
    const desk = await openIvr(t, { transferTo: 'tel:+861010000' });
    await enrolled(desk, '100008', 1);
    const stranger = await desk.play(verifyPath, someone('100008', { voice: 5 }));
    t.match(stranger, { how: 'transfer', transferredTo: 'tel:+861010000', result: { decision: 'REJECT' } });
    t.match(stranger.heard.at(-1), /人工/);
    t.match(await desk.play(verifyPath, someone('100008')), { how: 'exit', transferredTo: null });
    const silent = await desk.play(verifyPath, { press: () => null, speak: () => null });
    t.match(silent, { how: 'transfer', result: { decision: 'INCONCLUSIVE' } });
    const sub = await desk.play(`${verifyPath}?ends=return`, someone('100008', { voice: 5 }));
    t.match(sub, { how: 'return', transferredTo: null, result: { decision: 'REJECT' } });
  },
);

void t.test('the operator names the account in the body, and only the PIN is asked for', async (t) => {
  const asked: string[] = [];
  const caller: TestCaller = {
    ...someone(''),
    press: (field) => {
      asked.push(field);
      return someone('').press(field, '');
    },
  };
  const first = { accountId: '100001', lineNumber: '138', callId: 'c-9' };
  t.match(await ivr.play(verifyPath, caller, { first }), { result: { decision: 'ACCEPT' } });
  t.same(asked, ['pin']);
});

void t.test('the line that the gateway names is counted as any line is', async (t) => {
  const counted = await openIvr(t);
  await counted.policy({ velocity: { ...defaultPolicy.velocity, maxFailuresPerLine: 3 } });
  await enrolled(counted, '100009', 1);
  await counted.play(verifyPath, someone('100009', { voice: 5 }), { line: '1391' });
  t.match(await counted.play(verifyPath, someone('100009'), { line: '1391' }), { result: { decision: 'REJECT' } });
  t.match(await counted.play(verifyPath, someone('100009'), { line: '1392' }), { result: { decision: 'ACCEPT' } });
  t.match(await counted.play(verifyPath, someone('100009'), { line: null }), { result: { decision: 'ACCEPT' } });
});

void t.test('each step may be served by another node', async (t) => {
  await enrolled(ivr, '100010', 1);
  const nodes = [await testDialogues({ ...ivr.context }), await testDialogues({ ...ivr.context })] as const;
  const stateIn = (document: string): string => /name="state" expr="'([^']+)'"/.exec(document)?.[1] ?? '';
  const opening = { dialogue: 'verify', language: 'en', tier: 'low', ends: 'exit', callId: null, line: null } as const;
  const asked = await nodes[0].open(ivr.opaque, { ...opening, accountId: null });
  const nothing = { keys: {}, utterance: null, line: null, hungUp: false };
  const keys = { account: '100010', pin: goodPin };
  const challenge = await nodes[1].next(ivr.opaque, { ...nothing, state: stateIn(asked), keys });
  const says = digitsHeard(parseVxml(challenge).getElementsByTagName('record')[0]?.textContent ?? '');
  const utterance = { bytes: spoken({ voice: 1, says }).content, contentType: 'audio/x-wav' };
  const verdict = await nodes[0].next(ivr.opaque, { ...nothing, state: stateIn(challenge), utterance });
  t.match(verdict, `<var name="decision" expr="'ACCEPT'"/>`);
});
