import t from 'tap';
import { getAccount, putAccount } from '../../src/service/accounts.js';
import { consented, enrolled, goodPin, otherPin } from '../service/harness.js';
import { openIvr, someone } from './harness.js';
import type { CallOutcome } from './vxml-browser.js';

const ivr = await openIvr(t);
const newPin = '480215';
const keys = { newPin, repeatPin: newPin };
/** Documents without their states. */
const bare = ({ documents }: CallOutcome) => documents.map((one) => one.replace(/expr="'[\w-]{60,}'"/, ''));
/** Whether that is the account's PIN: it opens a change of it to itself. */
const hasPin = async (accountId: string, pin: string): Promise<boolean> => {
  const caller = someone(accountId, { pin, keys: { newPin: pin, repeatPin: pin } });
  return (await ivr.play('/v1/ivr/vxml/pin-change', caller)).result.outcome === 'PIN_SET';
};

void t.test('the old PIN opens the way to a new one', async (t) => {
  await enrolled(ivr, '200001', 1);
  const outcome = await ivr.play('/v1/ivr/vxml/pin-change?language=en', someone('200001', { keys }));
  t.match(outcome, { how: 'exit', result: { outcome: 'PIN_SET' } });
  t.match(outcome.heard.join('\n'), /Your new PIN is valid/);
  t.equal(await hasPin('200001', newPin), true);
  t.equal(await hasPin('200001', goodPin), false);
});

void t.test(
  'new PINs that differ or are too simple are said to be so, whether there is such an account or not',
  async (t) => {
    await enrolled(ivr, '200002', 1);
    for (const accountId of ['200002', '999999']) {
      const differ = someone(accountId, { keys: { newPin, repeatPin: '480216' } });
      const outcome = await ivr.play('/v1/ivr/vxml/pin-change', differ);
      t.match(outcome, { result: { outcome: 'PIN_NOT_SET' } });
      t.equal(outcome.documents.length, 4, 'three tries');
      t.match(outcome.heard.join('\n'), /两次输入的新密码不一致/);
      for (const simple of ['123456', '111111', `${accountId}`]) {
        const tried = someone(accountId, { keys: { newPin: simple, repeatPin: simple } });
        t.match((await ivr.play('/v1/ivr/vxml/pin-change', tried)).heard.join('\n'), /过于简单/, simple);
      }
    }
    t.equal(await hasPin('200002', goodPin), true);
  },
);

void t.test('a wrong old PIN and an unknown account are refused in one way; the wrong PINs are counted', async (t) => {
  await enrolled(ivr, '200003', 1);
  const wrong = await ivr.play('/v1/ivr/vxml/pin-change', someone('200003', { pin: otherPin, keys }));
  const unknown = await ivr.play('/v1/ivr/vxml/pin-change', someone('999998', { pin: otherPin, keys }));
  t.same(bare(unknown), bare(wrong));
  t.match(wrong.result, { outcome: 'PIN_NOT_SET' });
  t.equal((await ivr.context.store.transaction('operator', (tx) => tx.attempts.get('200003'))).wrongPins, 3);
});

void t.test('a first PIN is set for a caller whom the operator has identified, and for nobody else', async (t) => {
  await putAccount(ivr.context, ivr.full, '200004');
  const key = await ivr.key(['enroller']);
  const first = { accountId: '200004' };
  const asked = await ivr.play('/v1/ivr/vxml/pin-set', someone('200004', { keys }), { key });
  t.match(asked, { how: 'no document', statuses: [400] });
  const outcome = await ivr.play('/v1/ivr/vxml/pin-set', someone('', { keys }), { key, first });
  t.match(outcome, { result: { outcome: 'PIN_SET' } });
  t.equal(await hasPin('200004', newPin), true);
  const again = await ivr.play(
    '/v1/ivr/vxml/pin-set',
    someone('', { keys: { newPin: '918264', repeatPin: '918264' } }),
    { key, first },
  );
  t.match(again, { result: { outcome: 'PIN_NOT_SET' } }, 'a second one is a replacement, which needs a proof');
  t.equal(await hasPin('200004', newPin), true);
});

void t.test('nobody sets a first PIN by changing one that is not there', async (t) => {
  await putAccount(ivr.context, ivr.full, '200007');
  const outcome = await ivr.play('/v1/ivr/vxml/pin-change', someone('200007', { keys }));
  t.match(outcome, { result: { outcome: 'PIN_NOT_SET' } });
  t.equal((await getAccount(ivr.context, ivr.full, '200007')).pinSet, false);
  const wrong = await ivr.play('/v1/ivr/vxml/pin-change', someone('999997', { keys }));
  t.same(bare(outcome), bare(wrong), 'and it sounds like an account that is not there');
});

void t.test('a verification that included the right PIN is a proof, one that did not is none', async (t) => {
  await enrolled(ivr, '200005', 1);
  const outcome = await ivr.play('/v1/ivr/vxml/pin-after-voice', someone('200005', { keys }));
  t.match(outcome, { how: 'exit', result: { outcome: 'PIN_SET' } });
  t.match(outcome.heard.join('\n'), /身份核实成功[^]*新密码已经生效/);
  t.equal(await hasPin('200005', newPin), true);
  const stranger = await ivr.play('/v1/ivr/vxml/pin-after-voice', someone('200005', { pin: newPin, voice: 5, keys }));
  t.match(stranger, { result: { outcome: 'PIN_NOT_SET' } });
  // Voice and phrase alone are accepted at the low tier where the recogniser is trusted: no proof for a PIN.
  ivr.ears.languageStatus = 'supported';
  t.teardown(() => (ivr.ears.languageStatus = 'experimental'));
  await putAccount(ivr.context, ivr.full, '200006');
  await consented(ivr, '200006');
  const desk = await ivr.key(['enroller']);
  const { body } = await ivr.call(desk, 'POST', '/v1/accounts/200006/enrolments', { agentId: 'a-1' });
  for (const { digits } of body.prompts.slice(0, 3)) {
    const content = Buffer.from(JSON.stringify({ voice: 1, says: digits })).toString('base64');
    await ivr.call(desk, 'POST', `/v1/enrolments/${body.enrolmentId}/utterances`, { audio: { content } });
  }
  t.equal((await ivr.call(desk, 'POST', `/v1/enrolments/${body.enrolmentId}/complete`)).status, 201);
  const voiceOnly = await ivr.play('/v1/ivr/vxml/pin-after-voice', someone('200006', { keys }));
  t.match(voiceOnly, { result: { outcome: 'PIN_NOT_SET' } });
  t.match(voiceOnly.heard.join('\n'), /身份核实成功[^]*密码没有修改/);
  t.equal((await getAccount(ivr.context, ivr.full, '200006')).pinSet, false);
});

void t.test('each dialogue needs the roles of what it does', async (t) => {
  const table = [
    ['verify', ['enroller'], 403],
    ['verify', ['verifier'], 200],
    ['pin-change', ['verifier'], 403],
    ['pin-change', ['enroller'], 200],
    ['pin-after-voice', ['verifier'], 403],
    ['pin-after-voice', ['enroller'], 403],
    ['pin-after-voice', ['enroller', 'verifier'], 200],
    ['enrol', ['verifier'], 403],
    ['enrol', ['enroller'], 200],
    ['verify', ['analyst', 'admin'], 403],
  ] as const;
  for (const [dialogue, roles, status] of table) {
    const key = await ivr.key(roles);
    const outcome = await ivr.play(`/v1/ivr/vxml/${dialogue}`, { press: () => null, speak: () => null }, { key });
    t.equal(outcome.statuses[0], status, `${dialogue} by ${roles.join(', ')}`);
  }
});
