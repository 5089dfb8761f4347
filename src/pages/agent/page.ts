import { ask, Refused, tell, type Session } from './api.js';
import { setUpCustomer } from './customer.js';
import { attempt, desk, may, sessionEnded, showSteps } from './desk.js';
import { input, onPress, onSubmit, show } from './dom.js';
import { clearEnrolment, followEnrolment, setUpEnrolment } from './enrolment.js';
import { setUpConnection } from './live-call.js';
import { clearVerification, followVerification, setUpVerification } from './verification.js';
import { say, startWords } from './words.js';

await startWords();
setUpCustomer(() => {
  clearEnrolment();
  clearVerification();
});
setUpConnection();
setUpEnrolment();
setUpVerification();

onSubmit('sign-in', () =>
  attempt(async () => {
    const apiKey = input('api-key').value.trim();
    input('api-key').value = '';
    try {
      enter(await ask<Session>('POST', '/v1/session', { apiKey }));
    } catch (fault) {
      throw fault instanceof Refused && fault.code === 'unauthenticated'
        ? new Refused('wrong_key', fault.message)
        : fault;
    }
  }),
);
onPress('sign-out', () =>
  attempt(async () => {
    await ask('DELETE', '/v1/session');
    leave();
  }),
);

document.addEventListener(sessionEnded, leave);

try {
  enter(await ask<Session>('GET', '/v1/session'));
} catch (fault) {
  leave();
  if (!(fault instanceof Refused && fault.code === 'unauthenticated')) tell(fault);
}

/**
 * What an agent's desktop knows may stand behind the # of the address, which browsers do not send: `#account=…&agent=…&call=…`, and `stream=…` to
 * follow a call that it registered with the same key.
 */
async function takeOver(): Promise<void> {
  const known = new URLSearchParams(location.hash.slice(1));
  for (const [name, id] of [
    ['account', 'account'],
    ['agent', 'agent'],
    ['call', 'call-id'],
  ] as const) {
    const value = known.get(name);
    if (value !== null) input(id).value = value;
  }
  const streamId = known.get('stream');
  if (streamId === null) return;
  const { mode } = await ask<{ mode: 'active' | 'passive' | 'enrolment' }>(
    'GET',
    `/v1/streams/${encodeURIComponent(streamId)}`,
  );
  if (mode === 'enrolment') followEnrolment(streamId);
  else followVerification(streamId, mode);
}

function enter(session: Session): void {
  desk.session = session;
  say('who', 'signedInAs', { label: session.label });
  show('sign-in', false);
  show('sign-out', true);
  show('desk', may('enroller') || may('verifier'));
  if (!may('enroller') && !may('verifier')) tell(new Refused('no_role', ''));
  showSteps();
  void attempt(takeOver);
}

/** Nothing of a customer stays on the screen. */
function leave(): void {
  clearEnrolment();
  clearVerification();
  Object.assign(desk, { session: null, account: null, accountId: null });
  input('account').value = '';
  say('who', null);
  show('sign-in', true);
  show('sign-out', false);
  show('desk', false);
  input('api-key').focus();
}
