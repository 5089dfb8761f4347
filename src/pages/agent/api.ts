import { part } from './dom.js';
import { say } from './words.js';

/** Roles of a key, see the API page. */
export interface Session {
  readonly label: string;
  readonly roles: readonly string[];
  readonly answer: 'full' | 'opaque';
}

export interface Account {
  readonly accountId: string;
  readonly enrolled: boolean;
  readonly consented: boolean;
  readonly optedOut: boolean;
  readonly pinSet: boolean;
  readonly lockedUntil: string | null;
  readonly disabled: boolean;
}

/** What the service refused, or that it could not be reached. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    title: string,
  ) {
    super(title);
  }
}

/**
 * Asks the API as the signed-in page; the cookie goes along by itself.
 * @returns the JSON of the answer, null where it has none
 * @throws Refused
 */
export async function ask<T>(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Refused('network', 'network');
  });
  const text = await response.text();
  const answer = (text.startsWith('{') ? JSON.parse(text) : null) as (T & { code?: string; title?: string }) | null;
  if (response.ok) return answer as T;
  throw new Refused(answer?.code ?? 'network', answer?.title ?? String(response.status));
}

/** The words for what is refused so often that it has words of its own. */
const words: Readonly<Record<string, string>> = {
  network: 'errorNetwork',
  unauthenticated: 'ended',
  wrong_key: 'errorKey',
  no_role: 'needsRoles',
  forbidden: 'errorRole',
  rate_limited: 'errorRate',
  busy: 'errorBusy',
  shutting_down: 'errorBusy',
  consent_missing: 'errorConsent',
  opted_out: 'errorOptedOut',
  proof_required: 'errorProof',
  proof_refused: 'errorProof',
  enrolment_closed: 'errorEnrolment',
  enrolment_inconsistent: 'errorEnrolment',
  enrolment_under_review: 'errorEnrolment',
  pin_invalid: 'errorPin',
  pin_too_simple: 'errorPin',
  locked: 'errorLocked',
  micInsecure: 'micInsecure',
  micDenied: 'micDenied',
  micMissing: 'micMissing',
  micFailed: 'micFailed',
  connectionLost: 'connectionLost',
};

/** Shows what went wrong where it is seen and read out; null: nothing. */
export function tell(fault: unknown): void {
  part('error').hidden = fault === null;
  if (fault === null) return;
  const { code, message } =
    fault instanceof Refused ? fault : { code: '', message: fault instanceof Error ? fault.message : '' };
  const known = words[code];
  if (known === undefined) say('error', 'errorOther', { title: message });
  else say('error', known);
  part('error').scrollIntoView({ block: 'nearest' });
}
