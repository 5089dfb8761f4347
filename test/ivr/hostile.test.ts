import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import { enrolled, goodPin, otherPin } from '../service/harness.js';
import { temporaryFolder } from '../storage/open-test-store.js';
import { allRoles, basic, bodyOf, digitsHeard, openIvr, someone, spoken } from './harness.js';
import type { BrowserRequest } from './vxml-browser.js';
import { parseVxml } from './vxml-rules.js';

const ivr = await openIvr(t);
const key = await ivr.key(allRoles, 'opaque');
const nextPath = '/v1/ivr/vxml/next';
const send = ivr.sendBy(key);
const post = (fields: NonNullable<BrowserRequest['fields']>, multipart = false, path = nextPath) =>
  send({ method: 'POST', path, fields, multipart });
const stateIn = (document: string): string => /name="state" expr="'([^']+)'"/.exec(document)?.[1] ?? '';
const open = async (dialogue = 'verify'): Promise<string> =>
  stateIn((await send({ method: 'GET', path: `/v1/ivr/vxml/${dialogue}`, fields: null, multipart: false })).text);
/** Up to the challenge. */
async function challenged(account: string, pin = goodPin): Promise<{ state: string; digits: string }> {
  const { text } = await post({ state: await open(), account, pin });
  const ask = parseVxml(text).getElementsByTagName('record')[0]?.textContent ?? '';
  return { state: stateIn(text), digits: digitsHeard(ask) };
}
const decisionIn = (document: string): string | undefined => /name="decision" expr="'([A-Z_]+)'"/.exec(document)?.[1];
const attempts = (accountId: string) => ivr.context.store.transaction('operator', (tx) => tx.attempts.get(accountId));

void t.test('the key comes as a basic password or a bearer, on these routes only, and never else', async (t) => {
  const get = (url: string, authorization?: string) =>
    ivr.app.inject({ url, ...(authorization === undefined ? {} : { headers: { authorization } }) });
  const url = '/v1/ivr/vxml/verify';
  t.equal((await get(url, basic(key))).statusCode, 200);
  t.equal((await get(url, `Bearer ${key}`)).statusCode, 200);
  t.equal((await get(url, `basic ${Buffer.from(`:${key}`).toString('base64')}`)).statusCode, 200);
  for (const wrong of [
    undefined,
    basic(`${key}x`),
    basic(''),
    `Basic ${key}`,
    `Basic ${Buffer.from(key).toString('base64')}`,
    'Basic ::::',
  ]) {
    const answer = await get(url, wrong);
    t.equal(answer.statusCode, 401, String(wrong));
    t.equal(answer.headers['www-authenticate'], 'Basic realm="voicegate", Bearer');
  }
  t.equal((await get(`${url}?key=${key}`)).statusCode, 401);
  const elsewhere = await get('/v1/policies', basic(await ivr.key(['admin'])));
  t.match(elsewhere, { statusCode: 401, headers: { 'www-authenticate': 'Bearer' } });
});

void t.test('documents may not be kept by caches', async (t) => {
  const answer = await ivr.app.inject({ url: '/v1/ivr/vxml/verify', headers: { authorization: basic(key) } });
  t.equal(answer.headers['cache-control'], 'no-store');
  t.equal(answer.headers['content-type'], 'application/voicexml+xml; charset=utf-8');
});

void t.test('hostile values are refused with a problem, or used up; none gets into a document', async (t) => {
  await enrolled(ivr, '400001', 1);
  const state = await open();
  const hostile = [
    '"><exit/>',
    "';throw 1;'",
    '请😀',
    'x'.repeat(10_000),
    '\u0000\u0001',
    '&lt;!ENTITY',
    '${7*7}',
    '-1',
    '',
  ];
  for (const value of hostile) {
    for (const name of ['state', 'account', 'pin', 'line', 'consent', 'newPin', 'hungUp', 'utterance', 'unknown']) {
      for (const multipart of [false, true]) {
        const { status, contentType, text } = await post(
          { state, account: '400001', pin: goodPin, [name]: value },
          multipart,
        );
        const title = `${name} ${JSON.stringify(value.slice(0, 20))} ${multipart}`;
        if (status === 200) parseVxml(text);
        else t.match({ status, contentType }, { status: /^4(00|13)$/, contentType: 'application/problem+json' }, title);
        if (value.length > 3) t.notOk(text.includes(value), title);
      }
    }
    for (const name of ['language', 'tier', 'ends', 'callId', 'accountId', 'pin']) {
      const path = `/v1/ivr/vxml/verify?${name}=${encodeURIComponent(value)}`;
      const { status, text } = await send({ method: 'GET', path, fields: null, multipart: false });
      if (status === 200) t.notOk(value.length > 3 && text.includes(value), name);
      else t.equal(status, 400, name);
    }
  }
  const path = '/v1/ivr/vxml/verify?accountId=400001';
  t.equal(
    (await send({ method: 'GET', path, fields: null, multipart: false })).status,
    400,
    'no account in an address',
  );
  t.equal((await send({ method: 'GET', path: '/v1/ivr/vxml/else', fields: null, multipart: false })).status, 400);
  t.notMatch(ivr.logged(), /"level":50/);
});

void t.test('a state is good for its key and its time, and for nothing if it was changed', async (t) => {
  const state = await open();
  const fields = { account: '400001', pin: goodPin };
  const refused = { status: 400, contentType: /problem/ };
  const other = ivr.sendBy(await ivr.key(allRoles, 'opaque'));
  t.match(await other({ method: 'POST', path: nextPath, fields: { state, ...fields }, multipart: false }), refused);
  for (const at of [0, 20, 60, state.length - 1]) {
    const changed = `${state.slice(0, at)}${state[at] === 'A' ? 'B' : 'A'}${state.slice(at + 1)}`;
    if (Buffer.from(changed, 'base64url').equals(Buffer.from(state, 'base64url'))) continue;
    t.match(await post({ state: changed, ...fields }), refused, `changed at ${at}`);
  }
  t.match(await post({ state: state.slice(0, 20), ...fields }), refused);
  t.match(await post({ state, ...fields }), { status: 200 });
  ivr.wait(301);
  t.match(await post({ state, ...fields }), refused);
  const verifier = ivr.sendBy(await ivr.key(['verifier']));
  t.match(await verifier({ method: 'GET', path: '/v1/ivr/vxml/enrol', fields: null, multipart: false }), {
    status: 403,
  });
});

void t.test('an old step sent again gains nothing: its challenge is used', async (t) => {
  await enrolled(ivr, '400002', 1);
  const { state, digits } = await challenged('400002');
  const right = spoken({ voice: 1, says: digits });
  t.equal(decisionIn((await post({ state, utterance: right }, true)).text), 'ACCEPT');
  const again = await post({ state, utterance: right }, true);
  t.match(again, { status: 200 });
  t.not(decisionIn(again.text), 'ACCEPT');
  t.match(parseVxml(again.text).getElementsByTagName('field').length, 2, 'from the beginning');
  t.equal((await attempts('400002')).failures, 0, 'nor is it counted');
});

void t.test('tries are counted where no replay reaches them', async (t) => {
  await enrolled(ivr, '400003', 1);
  const first = await open();
  for (let replay = 1; replay <= 5; replay++) {
    const { text } = await post({ state: first, account: '400003', pin: otherPin });
    await post({ state: stateIn(text), utterance: spoken({ voice: 1 }) }, true);
  }
  t.match(await attempts('400003'), { failures: 5, wrongPins: 5 });
  const { state, digits } = await challenged('400003');
  const locked = await post({ state, utterance: spoken({ voice: 1, says: digits }) }, true);
  t.not(decisionIn(locked.text), 'ACCEPT');
});

void t.test('of one step sent many times at once, one is judged', async (t) => {
  await enrolled(ivr, '400004', 1);
  const { state, digits } = await challenged('400004');
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => post({ state, utterance: spoken({ voice: 1, says: digits }) }, true)),
  );
  t.equal(answers.filter(({ text }) => decisionIn(text) === 'ACCEPT').length, 1);
  t.ok(answers.every(({ status }) => status === 200));
});

void t.test('a PIN that was set anew between the steps was not checked', async (t) => {
  await enrolled(ivr, '400005', 1);
  const { state, digits } = await challenged('400005');
  const desk = await ivr.key(['enroller']);
  t.equal((await ivr.call(desk, 'PUT', '/v1/accounts/400005/pin', { pin: '480215', oldPin: goodPin })).status, 200);
  const { text } = await post({ state, utterance: spoken({ voice: 1, says: digits }) }, true);
  t.not(decisionIn(text), 'ACCEPT');
});

void t.test('recordings are taken as browsers send them', async (t) => {
  await enrolled(ivr, '400006', 1);
  for (const type of ['audio/x-wav', 'audio/wav', 'audio/basic', 'audio/x-alaw-basic', 'application/octet-stream']) {
    const { state, digits } = await challenged('400006');
    const utterance = { ...spoken({ voice: 1, says: digits }), type };
    const { text } = await post({ state, utterance }, true);
    t.equal(decisionIn(text), 'ACCEPT', type);
  }
  const spaced = await post({ state: await open(), account: '4 0 0 0 0 6', pin: [...goodPin].join(' ') });
  t.equal(parseVxml(spaced.text).getElementsByTagName('record').length, 1, 'keys with spaces between');
  const { state, digits } = await challenged('400006');
  const { payload, headers } = bodyOf({
    method: 'POST',
    path: nextPath,
    fields: { state, utterance: spoken({ voice: 1, says: digits }) },
    multipart: true,
  });
  const named = Buffer.from(String(payload).replace('name="utterance"', 'name="utterance"; filename="utt.wav"'));
  const answer = await ivr.app.inject({
    method: 'POST',
    url: nextPath,
    payload: named,
    headers: { ...headers, authorization: basic(key) },
  });
  t.equal(decisionIn(answer.body), 'ACCEPT');
  const twice = await ivr.app.inject({
    method: 'POST',
    url: nextPath,
    payload: `state=${state}&pin=1&pin=2`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(key) },
  });
  t.match(twice, { statusCode: 400 });
});

void t.test(
  'where the service cannot answer, the document before says so and ends the call with a result',
  async (t) => {
    const desk = await openIvr(t, { transferTo: 'sip:agent@pbx.example' });
    await enrolled(desk, '400007', 1);
    desk.ears.decode = async () => {
      throw new VoicegateError('busy', 'No room', { retryAfterSeconds: 1 });
    };
    const outcome = await desk.play('/v1/ivr/vxml/verify?language=en', someone('400007'));
    t.match(outcome, {
      how: 'transfer',
      transferredTo: 'sip:agent@pbx.example',
      statuses: [200, 200, 503],
      result: { decision: 'INCONCLUSIVE' },
    });
    t.match(outcome.heard.join('\n'), /something went wrong on our side/);
  },
);

void t.test('an operator’s prompts may hold anything, and recordings take the place of their text', async (t) => {
  const dir = join(temporaryFolder(t), 'own');
  mkdirSync(dir);
  writeFileSync(join(dir, 'hello.wav'), 'RIFF and so on');
  for (const digit of '0123456789') writeFileSync(join(dir, `d${digit}.ulaw`), digit);
  writeFileSync(
    join(dir, 'ivr.en.json'),
    JSON.stringify({
      greeting: { text: 'A & B <c> "d"', audio: 'hello.wav' },
      askAccount: '</prompt><exit/>',
      accepted: { text: 'Yes', audio: 'https://media.example/a?b=1&c=2' },
      digit: { text: '{word}', audio: 'd{digit}.ulaw' },
      speakNow: '',
    }),
  );
  const own = await openIvr(t, { promptsDir: dir });
  await enrolled(own, '400008', 1);
  const outcome = await own.play('/v1/ivr/vxml/verify?language=en', someone('400008'));
  t.match(outcome, { result: { decision: 'ACCEPT' } });
  t.equal(outcome.heard[0], 'A & B <c> "d"');
  t.equal(outcome.heard[1], '</prompt><exit/>');
  const sources = outcome.documents.flatMap((document) =>
    [...parseVxml(document).getElementsByTagName('audio')].map((one) => one.getAttribute('src') ?? ''),
  );
  t.ok(sources.includes('https://media.example/a?b=1&c=2'));
  const file = new URL(sources[0] ?? '', `http://gateway${nextPath}`).pathname;
  t.equal(file, '/ivr/prompts/hello.wav');
  const fetched = await own.app.inject({ url: file });
  t.match(fetched, { statusCode: 200, body: 'RIFF and so on', headers: { 'content-type': 'audio/x-wav' } });
  t.equal(sources.filter((source) => /d\d\.ulaw$/.test(source)).length, 8);
  t.equal((await own.app.inject({ url: '/ivr/prompts/..%2Fivr.en.json' })).statusCode, 404);
  t.equal((await own.app.inject({ url: '/ivr/prompts/ivr.en.json' })).statusCode, 404);
});

void t.test('no PIN, account number or line is in a log, an address or a document', async (t) => {
  const quiet = await openIvr(t);
  const account = '87654321098';
  const pins = ['730529', '918264', '480215'];
  await enrolled(quiet, account, 1);
  const keys = { newPin: pins[2] ?? '', repeatPin: pins[2] ?? '', consent: '1' };
  const calls = [];
  for (const dialogue of ['verify', 'pin-change', 'enrol', 'pin-after-voice']) {
    for (const pin of pins.slice(0, 2)) {
      calls.push(
        await quiet.play(`/v1/ivr/vxml/${dialogue}`, someone(account, { pin, keys }), { line: '13912345678' }),
      );
    }
  }
  t.ok(calls.some(({ result }) => result.outcome === 'PIN_SET'));
  t.ok(calls.some(({ result }) => result.decision === 'ACCEPT'));
  const everything = [
    quiet.logged(),
    ...calls.flatMap(({ documents, requests }) => [...documents, ...requests.map(({ path }) => path)]),
  ];
  for (const secret of [account, ...pins, '13912345678']) {
    for (const text of everything) t.notOk(text.includes(secret), secret);
  }
  t.match(quiet.logged(), /v1\/ivr\/vxml\/next/);
});
