import { Refused, tell, type Account, type Session } from './api.js';
import { input, show } from './dom.js';
import { isMicrophone } from './live-call.js';

/** What the steps of the page have in common. */
export const desk = {
  session: null as Session | null,
  /** The account that was asked for; null: none yet. */
  accountId: null as string | null,
  /** Its state; null: there is no such account, or the key may not see it. */
  account: null as Account | null,
};

export const may = (role: string): boolean => desk.session?.roles.includes(role) === true;

export const agentId = (): string => input('agent').value.trim();

/** Shows the steps that can be taken now. */
export function showSteps(): void {
  const { account, accountId } = desk;
  const isUsable = account !== null && !account.optedOut;
  show('consent', isUsable && may('enroller'));
  show('enrolment', isUsable && account.consented && may('enroller'));
  show('override', account?.enrolled === true);
  // A key that may not look accounts up verifies whomever it names.
  show(
    'verification',
    may('verifier') && accountId !== null && (may('enroller') ? isUsable && account.enrolled : true),
  );
  show('pin-field', isMicrophone());
}

/** Sent to the document when the service knows the session no longer. */
export const sessionEnded = 'session-ended';

/** Runs what somebody pressed a button for: what is refused is shown. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  tell(null);
  try {
    await work();
  } catch (fault) {
    if (fault instanceof Refused && fault.code === 'unauthenticated') document.dispatchEvent(new Event(sessionEnded));
    tell(fault);
  }
}
