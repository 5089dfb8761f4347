import t from 'tap';
import { getAccount, putAccount, setOptOut } from '../../src/service/accounts.js';
import { setPin } from '../../src/service/pins.js';
import { enrolled, goodPin, noProof, otherPin } from '../service/harness.js';
import { openIvr, someone } from './harness.js';

const ivr = await openIvr(t);
const path = '/v1/ivr/vxml/enrol';
const agrees = { consent: '1' };

async function withPin(accountId: string): Promise<void> {
  await putAccount(ivr.context, ivr.full, accountId);
  await setPin(ivr.context, ivr.full, accountId, { newPin: goodPin, proof: noProof });
}
const account = (accountId: string) => getAccount(ivr.context, ivr.full, accountId);
const consentsOf = (accountId: string) =>
  ivr.context.store.transaction('operator', (tx) => tx.consents.current(accountId));

void t.test('a caller hears what it is for, agrees by key, and is enrolled by prompts', async (t) => {
  await withPin('300001');
  const outcome = await ivr.play(`${path}?callId=call-77`, someone('300001', { keys: agrees }));
  t.match(outcome, { how: 'exit', result: { outcome: 'ENROLLED' } });
  t.match(outcome.heard[1], /声纹[^]*同意请按一/, 'the consent comes first');
  t.match(await account('300001'), { enrolled: true, consented: true });
  t.match(await consentsOf('300001'), {
    purpose: 'authentication',
    textVersion: /^ivr-zh-[0-9a-f]{16}$/,
    channel: 'ivr',
    evidenceReference: 'call-77',
  });
  t.match(await ivr.play('/v1/ivr/vxml/verify', someone('300001')), { result: { decision: 'ACCEPT' } });
});

void t.test('who declines is not asked for anything, and nothing is recorded', async (t) => {
  await withPin('300002');
  const outcome = await ivr.play(path, someone('300002', { keys: { consent: '2' } }));
  t.match(outcome, { how: 'exit', result: { outcome: 'NOT_ENROLLED' } });
  t.equal(outcome.requests.length, 1);
  t.match(outcome.heard.join('\n'), /不会采集/);
  t.equal(await consentsOf('300002'), null);
  const silent = await ivr.play(path, someone('300002', { keys: { consent: null } }));
  t.match(silent, { result: { outcome: 'NOT_ENROLLED' } });
  t.equal(await consentsOf('300002'), null, 'silence is no agreement');
});

void t.test('nobody agrees for an account whose PIN they do not know, and all refusals sound alike', async (t) => {
  await withPin('300003');
  await withPin('300004');
  await setOptOut(ivr.context, ivr.full, '300004', true);
  await putAccount(ivr.context, ivr.full, '300005');
  const shapes = [];
  for (const [accountId, pin] of [
    ['300003', otherPin],
    ['300004', goodPin],
    ['300005', goodPin],
    ['999999', goodPin],
  ] as const) {
    const outcome = await ivr.play(path, someone(accountId, { pin, keys: agrees }));
    t.match(outcome, { result: { outcome: 'NOT_ENROLLED' } }, accountId);
    t.equal(outcome.documents.length, 4, accountId);
    shapes.push(outcome.documents.map((one) => one.replace(/expr="'[\w-]{60,}'"/, '')));
    t.equal(await consentsOf(accountId), null, accountId);
  }
  for (const shape of shapes) t.same(shape, shapes[0]);
});

void t.test('utterances that are too short, noisy or wrong are asked for again, with the reason', async (t) => {
  await withPin('300006');
  ivr.ears.languageStatus = 'supported';
  t.teardown(() => (ivr.ears.languageStatus = 'experimental'));
  const faults = [{ netSpeechSeconds: 0.6 }, { snrDb: -5 }, {}, { says: '00000000' }];
  const outcome = await ivr.play(path, someone('300006', { keys: agrees, says: () => faults.shift() ?? {} }));
  t.match(outcome, { result: { outcome: 'ENROLLED' } });
  const heard = outcome.heard.join('\n');
  t.match(heard, /您说的太短了/);
  t.match(heard, /声音不够清楚/);
  t.match(heard, /听到的数字不一样/);
});

void t.test('three bad utterances in a row end the dialogue without a voiceprint', async (t) => {
  await withPin('300007');
  const outcome = await ivr.play(path, someone('300007', { keys: agrees, says: () => ({ netSpeechSeconds: 0.6 }) }));
  t.match(outcome, { result: { outcome: 'NOT_ENROLLED' } });
  t.match(await account('300007'), { enrolled: false, consented: true });
});

void t.test('two voices make no voiceprint', async (t) => {
  await withPin('300008');
  let voice = 0;
  const outcome = await ivr.play(path, someone('300008', { keys: agrees, says: () => ({ voice: voice++ * 3 }) }));
  t.match(outcome, { result: { outcome: 'NOT_ENROLLED' } });
  t.match(await account('300008'), { enrolled: false });
});

void t.test('who hangs up in the middle leaves nothing of the voice behind', async (t) => {
  await withPin('300009');
  let utterances = 0;
  const outcome = await ivr.play(
    path,
    someone('300009', { keys: agrees, says: () => (utterances++ === 2 ? 'hang up' : {}) }),
  );
  t.match(outcome, { how: 'hung up', result: { outcome: 'NOT_ENROLLED' } });
  t.match(await account('300009'), { enrolled: false });
  const audit = await ivr.call(await ivr.key(['admin']), 'GET', '/v1/audit?limit=1000');
  t.ok(audit.body.entries.some((entry: object) => JSON.stringify(entry).includes('enrolment_cancelled')));
});

void t.test('a print is replaced with the PIN as the proof', async (t) => {
  await enrolled(ivr, '300010', 1);
  const outcome = await ivr.play(path, someone('300010', { voice: 2, keys: agrees }));
  t.match(outcome, { result: { outcome: 'ENROLLED' } });
});
