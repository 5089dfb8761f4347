import t from 'tap';
import { sayDigits, spokenType, type Speaker } from '../../bench/spoken-digits.js';
import { defaultPolicy } from '../../src/decision/policy.js';
import { putAccount } from '../../src/service/accounts.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import { basic, bodyOf, digitsHeard } from '../ivr/harness.js';
import { callBy, type CallOutcome, type TestCaller } from '../ivr/vxml-browser.js';
import { openRealService, operator } from './real-service.js';

void t.test('a gateway enrols a caller and verifies callers by VoiceXML, with real models, over HTTP', async (t) => {
  const gateway = { label: 'gateway', roles: ['verifier', 'enroller'], answer: 'opaque' } as const;
  const { context, url, apiKey } = await openRealService(t, gateway, { VOICEGATE_IVR_TRANSFER: 'tel:+861010000' });
  // So that other digits count in English.
  const challenge = { ...defaultPolicy.challenge, trustedExperimentalLanguages: ['en' as const] };
  const { version } = await storePolicy(context, operator, { ...defaultPolicy, challenge });
  await activatePolicy(context, operator, version);
  await putAccount(context, operator, '62220017');

  const play = (dialogue: string, caller: TestCaller, first?: Record<string, string>): Promise<CallOutcome> =>
    callBy(
      async (request) => {
        const { payload, headers } = bodyOf(request);
        const response = await fetch(`${url}${request.path}`, {
          method: request.method,
          headers: { ...headers, authorization: basic(apiKey) },
          ...(payload === null ? {} : { body: payload }),
        });
        const contentType = response.headers.get('content-type') ?? '';
        return { status: response.status, contentType, text: await response.text() };
      },
      `/v1/ivr/vxml/${dialogue}?language=en`,
      caller,
      first === undefined ? {} : { first },
    );
  const pin = '730529';
  const speaker = (
    name: Speaker,
    changes: Record<string, string> = {},
    says = (digits: string) => digits,
  ): TestCaller => {
    const keys: Record<string, string> = {
      account: '62220017',
      pin,
      newPin: pin,
      repeatPin: pin,
      consent: '1',
      ...changes,
    };
    return {
      press: (field) => keys[field] ?? null,
      speak: (heard) => ({ content: sayDigits(name, says(digitsHeard(heard))), type: spokenType }),
    };
  };
  t.match(await play('pin-set', speaker('en-rms'), { accountId: '62220017' }), { result: { outcome: 'PIN_SET' } });
  t.match(await play('enrol', speaker('en-rms')), { how: 'exit', result: { outcome: 'ENROLLED' } });
  t.match(await play('verify', speaker('en-rms')), { how: 'exit', result: { decision: 'ACCEPT', tier: 'low' } });
  t.match(
    await play(
      'verify',
      speaker('en-rms', {}, () => '40404040'),
    ),
    {
      how: 'transfer',
      transferredTo: 'tel:+861010000',
      result: { decision: 'REJECT' },
    },
  );
  const stranger = await play('verify', speaker('en-slt'));
  t.equal(stranger.how, 'transfer');
  t.not(stranger.result.decision, 'ACCEPT');
  t.not((await play('verify', speaker('en-slt', { account: '99999999' }))).result.decision, 'ACCEPT');
});
