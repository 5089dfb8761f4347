import t from 'tap';
import { sayDigits, spokenType, type Speaker } from '../../bench/spoken-digits.js';
import { openRealService } from '../e2e/real-service.js';
import { fixture } from '../fixtures/fixtures.js';
import { needsChromium, openBrowser } from './browser.js';

const caller: Speaker = 'en-rms';
const stranger: Speaker = 'en-slt';
const pin = '730529';
const said = (who: string, ...names: string[]) => names.map((name) => fixture(`callers/${who}/${name}.wav`));

void t.test(
  'An agent signs in, enrols a customer by microphone, knows the voice again, and another not',
  needsChromium,
  async (t) => {
    const { url, apiKey } = await openRealService(t, { label: 'Desk 4' });
    const browser = await openBrowser(t);
    const { page, complaints } = browser;
    const speak = (...what: Parameters<typeof browser.speak>) => browser.speak(...what);
    const look = (name: string) => browser.look(name);
    const text = (id: string) => page.locator(`#${id}`).innerText();
    const press = (name: string) => page.getByRole('button', { name, exact: true }).filter({ visible: true }).click();

    await page.goto(`${url}/agent`);
    await page.locator('#sign-in').waitFor();
    await look('1-sign-in');
    await page.getByLabel('API key').fill('vg_0123456789abcdef_wrong');
    await press('Sign in');
    await page.getByText('This is no valid key.').waitFor();
    await page.getByLabel('API key').fill(apiKey);
    await press('Sign in');
    await page.getByText('Signed in with key Desk 4').waitFor();
    t.notOk(await page.getByRole('alert').isVisible());
    t.same(await page.evaluate('document.cookie'), '', 'no script sees the session');
    t.notMatch(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })'), apiKey);

    await page.getByLabel('Account number').fill('62220017');
    await page.getByLabel('Your agent id').fill('agent-12');
    await page.getByLabel('This microphone, to try it out').check();
    await press('Look up');
    await page.getByText('There is no such account yet.').waitFor();
    await look('2-unknown');
    await press('Create account');
    await page.getByLabel('PIN for trying it out').fill(pin);
    await press('Set PIN');
    await page.getByText('PIN set').waitFor();
    t.notOk(await page.locator('#enrolment').isVisible(), 'no enrolment without consent');
    await look('3-consent');
    await press('Customer agrees');
    await page.locator('#enrolment').waitFor();
    t.match(await text('consent-state'), /Consent is recorded \(text agent-en-[0-9a-f]{12}\)/);

    await speak(said(caller, 'enrol-1', 'enrol-2', 'enrol-3', 'enrol-4', 'enrol-5'));
    await page.locator('#enrolment').getByRole('button', { name: 'Start' }).click();
    await page.locator('#utterances li').first().waitFor();
    await look('4-enrolling');
    const bar = await page
      .locator('#enrolment-progress')
      .evaluate((bar) => (bar as unknown as { value: number }).value);
    t.ok(bar > 0 && bar < 1, 'the bar shows how far it is');
    await page.getByText('The voiceprint is made.').waitFor();
    t.equal(await text('enrolment-words'), 'Thank you, your voice is enrolled. Next time we can recognise you by it.');
    await page.getByText('Voice enrolled').waitFor();
    await look('5-enrolled');

    const verdict = async (decision: string, words: string) => {
      await page.locator('#verdict').waitFor();
      t.equal(await page.locator('#verdict').getAttribute('data-decision'), decision);
      t.equal(await text('verification-words'), words);
    };
    const begin = () => page.locator('#verification').getByRole('button', { name: 'Start' }).click();
    await speak(said(caller, 'verify-1', 'verify-2', 'verify-3', 'verify-4'));
    await page.getByLabel('I have made sure by other means').check();
    await begin();
    await page.getByText('Listening …').waitFor();
    await look('6-listening');
    await verdict('ACCEPT', 'Thank you, your identity is confirmed.');
    await look('7-accepted');

    await speak(said(stranger, 'verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-1', 'enrol-2', 'enrol-3'));
    await begin();
    await page.getByText(/^([89]|1\d)\.\d seconds of speech$/).waitFor();
    await press('Stop and judge');
    await page.locator('#verdict').waitFor();
    t.not(await page.locator('#verdict').getAttribute('data-decision'), 'ACCEPT', 'another voice');
    await look('8-another-voice');

    // The digits are known when the stream is registered, and the microphone is opened after that.
    let reader: Speaker = caller;
    await page.route('**/v1/streams', async (route) => {
      const response = await route.fetch();
      const { challenge } = (await response.json()) as { challenge: { digits: string } };
      await speak([sayDigits(reader, challenge.digits)], spokenType);
      await route.fulfill({ response });
    });
    await page.locator('#mode').selectOption('active');
    await page.locator('#pin').fill('918264');
    await begin();
    await verdict('REJECT', 'We could not confirm your identity.');
    t.equal(
      await text('verdict'),
      'Not confirmed: do nothing for the account that needs identification. Do not say why; you are not told either.',
      'never which factor',
    );
    await look('9-refused');
    await page.locator('#pin').fill(pin);
    await begin();
    await page.getByText(/^Please say these digits: (\d\s){7}\d$/).waitFor();
    await page.getByText('Speak now').waitFor();
    await look('10-digits');
    await verdict('ACCEPT', 'Thank you, your identity is confirmed.');
    reader = stranger;
    await begin();
    await page.locator('#verification-live').waitFor();
    await page.locator('#verdict').waitFor();
    t.not(await page.locator('#verdict').getAttribute('data-decision'), 'ACCEPT');
    await look('11-not-sure');

    await press('Undo the enrolment');
    await page.getByText('Undone. The new voiceprint is erased.').waitFor();
    await page.getByText('Voice not enrolled').waitFor();
    t.notOk(await page.locator('#verification').isVisible());

    await page.locator('#language').selectOption('zh');
    t.equal(await text('enrolment-title'), '登记声音');
    t.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    await look('12-zh');
    await press('退出');
    await page.locator('#sign-in').waitFor();
    t.notOk(await page.locator('#desk').isVisible());
    await page.reload();
    await page.locator('#sign-in').waitFor();
    t.same(
      complaints.filter((line) => !/status of 40[14]/.test(line)),
      [],
      'nothing was blocked, nothing threw',
    );
  },
);
