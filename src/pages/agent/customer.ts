import { ask, Refused, type Account } from './api.js';
import { agentId, attempt, desk, may, showSteps } from './desk.js';
import { input, onPress, onSubmit, part, show } from './dom.js';
import { isMicrophone } from './live-call.js';
import { consentVersion, say, word } from './words.js';

/** Who is calling, looked up or created, and the consent. @param onChosen an account was chosen: what was shown of another is over */
export function setUpCustomer(onChosen: () => void): void {
  onSubmit('look-up', () =>
    attempt(async () => {
      desk.accountId = input('account').value.trim();
      desk.account = null;
      onChosen();
      await refreshAccount();
    }),
  );
  onPress('create', () =>
    attempt(async () => {
      desk.account = await ask<Account>('PUT', accountPath());
      showAccount();
    }),
  );
  onSubmit('demo-pin', () =>
    attempt(async () => {
      await ask('PUT', `${accountPath()}/pin`, { pin: input('new-pin').value });
      input('new-pin').value = '';
      await refreshAccount();
    }),
  );
  onPress('agrees', () =>
    attempt(async () => {
      const textVersion = consentVersion();
      const consent = { purpose: 'authentication', textVersion, channel: 'agent', agentId: agentId() };
      await ask('POST', `${accountPath()}/consents`, consent);
      await refreshAccount();
      say('consent-words', 'sayConsentGiven');
      show('consent-words', true);
      say('consent-state', 'consentRecorded', { version: textVersion });
    }),
  );
  onPress('declines', () => {
    say('consent-words', 'sayConsentDeclined');
    say('consent-state', 'consentRefused');
    show('consent-asked', false);
  });
  onPress('withdraw', () =>
    attempt(async () => {
      if (!window.confirm(word('withdrawSure'))) return;
      await ask('DELETE', `${accountPath()}/consents/current`);
      await refreshAccount();
    }),
  );
  for (const radio of document.querySelectorAll('[name=source]')) radio.addEventListener('change', showAccount);
  showAccount();
}

/** Address of the account that was chosen. */
export const accountPath = (): string => `/v1/accounts/${encodeURIComponent(desk.accountId ?? '')}`;

/** Asks for the account's state anew and shows it. @throws Refused */
export async function refreshAccount(): Promise<void> {
  desk.account = may('enroller')
    ? await ask<Account>('GET', accountPath()).catch((fault: unknown) => {
        if (fault instanceof Refused && fault.code === 'account_unknown') return null;
        throw fault;
      })
    : null;
  showAccount();
}

function showAccount(): void {
  const { account, accountId } = desk;
  show('microphone-help', isMicrophone());
  show('call-source', !isMicrophone());
  show('account-state', accountId !== null && may('enroller'));
  show('create', account === null);
  show('demo-pin', account !== null && !account.pinSet && !account.enrolled && isMicrophone());
  const badges: [word: string, look: string][] = [];
  if (account === null) badges.push(['accountUnknown', 'doubt']);
  else {
    badges.push(account.consented ? ['consentYes', 'good'] : ['consentNo', 'doubt']);
    badges.push(account.enrolled ? ['enrolledYes', 'good'] : ['enrolledNo', 'doubt']);
    if (account.pinSet) badges.push(['pinSet', 'good']);
    if (account.lockedUntil !== null || account.disabled) badges.push(['lockedYes', 'bad']);
    if (account.optedOut) badges.push(['optedOutYes', 'bad']);
    show('consent-asked', !account.consented);
    show('withdraw', account.consented);
    say('consent-words', 'sayConsent');
    show('consent-words', !account.consented);
    say('consent-state', account.consented ? 'consentYes' : null);
  }
  part('badges').replaceChildren(
    ...badges.map(([name, look]) => {
      const badge = document.createElement('li');
      badge.className = look;
      say(badge, name);
      return badge;
    }),
  );
  showSteps();
}
