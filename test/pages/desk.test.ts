import t from 'tap';
import type { Page } from 'playwright-core';
import { createApiKey } from '../../src/service/api-keys.js';
import type { Role } from '../../src/service/ports.js';
import { fixture } from '../fixtures/fixtures.js';
import { callerCall } from '../audio/made-call.js';
import { enrolCaller, openServed, type ServedHarness } from '../telephony/harness.js';
import { hello, OwnClient } from '../telephony/own-client.js';
import { until } from '../until.js';
import { needsChromium, openBrowser, type Browser } from './browser.js';

const press = (page: Page, name: string) =>
  page.getByRole('button', { name, exact: true }).filter({ visible: true }).click();

async function signIn({ context, full, base }: ServedHarness, { page }: Browser, roles: readonly Role[], at = base) {
  const { apiKey } = await createApiKey(context, full, { label: 'Desk 4', roles, answer: 'full' });
  await page.goto(`${at}/agent`);
  await page.getByLabel('API key').fill(apiKey);
  await press(page, 'Sign in');
  await page.getByText('Signed in with key Desk 4').waitFor();
  return apiKey;
}

async function lookUp({ page }: Browser, account: string) {
  await page.getByLabel('Account number').fill(account);
  await page.getByLabel('Your agent id').fill('agent-12');
  await press(page, 'Look up');
}

/** Plays a call to the address that the page shows, as a PBX would. */
async function play(page: Page, samples: Float32Array): Promise<OwnClient> {
  const client = new OwnClient(await page.locator('#connection-address').innerText());
  await client.say(hello);
  await client.until('hello');
  client.hear(samples);
  return client;
}

void t.test(
  'A telephone call is connected where the page says, and followed by its events',
  needsChromium,
  async (t) => {
    const served = await openServed(t);
    const browser = await openBrowser(t);
    const { page } = browser;
    await signIn(served, browser, ['enroller', 'verifier']);
    await lookUp(browser, '62220017');
    await press(page, 'Create account');
    await press(page, 'Customer declines');
    await page.getByText('No consent: nothing of the voice is kept or measured.').waitFor();
    t.notOk(await page.locator('#enrolment').isVisible());
    await press(page, 'Look up');
    await press(page, 'Customer agrees');
    const start = (card: string) => page.locator(card).getByRole('button', { name: 'Start' }).click();

    await start('#enrolment');
    await page.getByText('Waiting for the call').waitFor();
    await page.locator('#connection').waitFor();
    await browser.look('20-connect');
    t.match(await page.locator('#connection-address').innerText(), /^ws:\/\/127\.0\.0\.1:\d+\/v1\/streams\?token=/);
    t.ok(await page.getByRole('button', { name: 'Look up' }).isDisabled(), 'one call at a time');
    const own = await callerCall();
    const cancelled = await play(page, own.subarray(0, 24_000));
    await page.getByText('All is well').waitFor();
    await press(page, 'Cancel');
    await page.getByText('Cancelled. Nothing was kept.').waitFor();
    cancelled.hear(own.subarray(24_000));
    t.ok(await cancelled.gone, 'the service hears it no longer');
    await page.getByText('Voice not enrolled').waitFor();

    await start('#enrolment');
    await page.locator('#connection-address').waitFor();
    await play(page, own);
    await page.getByText('The voiceprint is made.').waitFor();
    t.ok((await page.locator('#utterances li').count()) >= 3);
    t.notOk(await page.locator('#connection').isVisible());

    await page.getByLabel('I have made sure by other means').check();
    await start('#verification');
    await page.locator('#connection-address').waitFor();
    await press(page, 'Cancel');
    t.notOk(await page.locator('#connection').isVisible(), 'a call that does not come is waited for no longer');
    await start('#verification');
    await page.locator('#connection-address').waitFor();
    await (await play(page, own)).say({ type: 'end' });
    await page.getByText('Confirmed: go on with').waitFor();
    await page.getByLabel('Why the voiceprint is replaced').waitFor();
    await start('#enrolment');
    await page.getByText('Replacing a voiceprint or PIN needs a proof').waitFor();
  },
);

void t.test(
  'A desktop hands over what it knows behind the #, and a call that it registered',
  needsChromium,
  async (t) => {
    const served = await openServed(t);
    await enrolCaller(served, 'caller', 'zh-f4');
    const browser = await openBrowser(t);
    const { page } = browser;
    const apiKey = await signIn(served, browser, ['verifier']);
    const registered = await fetch(`${served.base}/v1/streams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'passive', accountId: 'caller', agentId: 'a7', identifiedByAgent: true }),
    });
    const { streamId, url } = (await registered.json()) as Record<string, string>;
    await page.goto('about:blank');
    await page.goto(`${served.base}/agent#account=caller&agent=a7&stream=${streamId}`);
    await page.locator('#verification-live').waitFor();
    t.equal(await page.getByLabel('Account number').inputValue(), 'caller');
    const client = new OwnClient(url ?? '');
    await client.say(hello);
    await client.until('hello');
    client.hear(await callerCall());
    await client.say({ type: 'end' });
    await page.getByText('Confirmed: go on with').waitFor();
  },
);

void t.test(
  'A session that is over leads back to the sign-in, and nothing of the customer stays',
  needsChromium,
  async (t) => {
    const served = await openServed(t);
    const browser = await openBrowser(t);
    const { page } = browser;
    await signIn(served, browser, ['enroller']);
    await lookUp(browser, '62220017');
    await press(page, 'Create account');
    await page.getByText('No consent yet').waitFor();
    t.notOk(await page.locator('#verification').isVisible(), 'the key’s roles do not allow it');
    served.wait(9 * 3600);
    await press(page, 'Customer agrees');
    await page.getByText('Your session has ended.').waitFor();
    await page.locator('#sign-in').waitFor();
    t.equal(await page.locator('#account').inputValue(), '');
    t.notOk(await page.locator('#desk').isVisible());
  },
);

void t.test(
  'A microphone that is refused, or not given to this address, is spoken of in plain words',
  needsChromium,
  async (t) => {
    const served = await openServed(t);
    await enrolCaller(served, 'caller', 'zh-f4');
    const browser = await openBrowser(t, 'denied');
    const { page } = browser;
    const begin = async () => {
      await page.getByLabel('This microphone, to try it out').check();
      await lookUp(browser, 'caller');
      await page.locator('#verification').getByRole('button', { name: 'Start' }).click();
    };
    await signIn(served, browser, ['enroller', 'verifier']);
    await begin();
    await page.getByText('The microphone was refused.').waitFor();
    t.ok(
      await page.locator('#verification').getByRole('button', { name: 'Start' }).isEnabled(),
      'it can be tried again',
    );
    await browser.look('21-denied');
    await signIn(served, browser, ['enroller', 'verifier'], served.base.replace('127.0.0.1', 'voice.example'));
    await begin();
    await page.getByText('The browser gives no microphone to this address').waitFor();
  },
);

void t.test('A network that is too slow loses audio, says how much, and the call goes on', needsChromium, async (t) => {
  const served = await openServed(t);
  await enrolCaller(served, 'caller', 'zh-f4');
  const browser = await openBrowser(t);
  const { page } = browser;
  const said: string[] = [];
  let frames = 0;
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') said.push(payload);
      else frames++;
    }),
  );
  await page.addInitScript(
    `Object.defineProperty(WebSocket.prototype, 'bufferedAmount', { get: () => (window.isSlow ? 10_000_000 : 0) })`,
  );
  await signIn(served, browser, ['enroller', 'verifier']);
  await page.getByLabel('This microphone, to try it out').check();
  await lookUp(browser, 'caller');
  await browser.speak([fixture('callers/zh-f4/verify-1.wav')]);
  await page.locator('#verification').getByRole('button', { name: 'Start' }).click();
  await page.getByText('Listening …').waitFor();
  await until(() => frames > 25);
  await page.evaluate('window.isSlow = true');
  // The browser tells of frames a little later than it sends them.
  const isQuiet = async (): Promise<boolean> => {
    const counted = frames;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return counted === frames;
  };
  await until(isQuiet);
  t.ok(await isQuiet(), 'nothing more is put where so much waits');
  const before = frames;
  await page.evaluate('window.isSlow = false');
  await until(() => said.some((text) => text.includes('gap')));
  const { seconds } = JSON.parse(said.find((text) => text.includes('gap')) ?? '') as { seconds: number };
  t.ok(seconds > 0.2 && seconds < 30);
  await until(() => frames > before + 50);
  await press(page, 'Stop and judge');
  await page.locator('#verdict').waitFor();
});
