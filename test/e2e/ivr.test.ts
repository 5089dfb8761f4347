import t from 'tap';
import { sayDigits, spokenType, type Speaker } from '../../bench/spoken-digits.js';
import { start } from '../../src/compose.js';
import { readConfig } from '../../src/config.js';
import { defaultPolicy } from '../../src/decision/policy.js';
import { createLog } from '../../src/ops/log.js';
import { putAccount } from '../../src/service/accounts.js';
import { createApiKey } from '../../src/service/api-keys.js';
import { ensureTenant } from '../../src/service/first-start.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import { roles } from '../../src/service/ports.js';
import { basic, bodyOf, digitsHeard } from '../ivr/harness.js';
import { callBy, type CallOutcome, type TestCaller } from '../ivr/vxml-browser.js';
import { openTestPlace, temporaryFolder } from '../storage/open-test-store.js';

void t.test('a gateway enrols a caller and verifies callers by VoiceXML, with real models, over HTTP', async (t) => {
  const place = await openTestPlace(t);
  const config = readConfig({
    VOICEGATE_DATA_DIR: 'dataDir' in place ? place.dataDir : temporaryFolder(t),
    VOICEGATE_PORT: '0',
    VOICEGATE_LOG_LEVEL: 'silent',
    VOICEGATE_IVR_TRANSFER: 'tel:+861010000',
    ...('databaseUrl' in place ? { DATABASE_URL: place.databaseUrl } : {}),
  });
  const service = await start(config, createLog(config.logLevel));
  t.teardown(() => service.stop());
  const { context } = service;
  await ensureTenant(context);
  const operator = { tenantId: 'default', apiKeyId: null, roles, answer: 'full' as const };
  // So that other digits count in English.
  const challenge = { ...defaultPolicy.challenge, trustedExperimentalLanguages: ['en' as const] };
  const { version } = await storePolicy(context, operator, { ...defaultPolicy, challenge });
  await activatePolicy(context, operator, version);
  const gateway = { label: 'gateway', roles: ['verifier', 'enroller'], answer: 'opaque' } as const;
  const { apiKey } = await createApiKey(context, operator, gateway);
  await putAccount(context, operator, '62220017');

  const play = (dialogue: string, caller: TestCaller, first?: Record<string, string>): Promise<CallOutcome> =>
    callBy(
      async (request) => {
        const { payload, headers } = bodyOf(request);
        const response = await fetch(`${service.url}${request.path}`, {
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
