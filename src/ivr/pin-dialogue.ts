import { checkNewPin } from '../credential/pin-rules.js';
import { setPin } from '../service/pins.js';
import { checkPin, type ProofRequest } from '../service/proof.js';
import type { StateOf, Submitted } from './dialogue-state.js';
import { accountName, asking, ended, fields, unfinished, type PlainPrompt, type Turn } from './documents.js';
import { isRefusal } from './faults.js';
import { submit, thenDo } from './vxml.js';

/** Asks for the old PIN and twice for the new one. */
export function askToChangePin(turn: Turn, failures: number, first: readonly PlainPrompt[]): string {
  const { account, oldPin, newPin } = fields(turn);
  return asking(turn, { step: 'change-pin', terms: turn.terms, failures }, first, [
    ...account,
    oldPin,
    ...newPin,
    thenDo(submit(['state', ...accountName(turn), 'oldPin', 'newPin', 'repeatPin'])),
  ]);
}

/** Asks twice for a new PIN. */
export function askNewPin(
  turn: Turn,
  known: Pick<StateOf<'new-pin'>, 'accountId' | 'verificationId' | 'failures'>,
  first: readonly PlainPrompt[],
): string {
  return asking(turn, { step: 'new-pin', terms: turn.terms, ...known }, first, [
    ...fields(turn).newPin,
    thenDo(submit(['state', 'newPin', 'repeatPin'])),
  ]);
}

/** The old PIN is the proof. */
export async function changePin(turn: Turn, state: StateOf<'change-pin'>, { keys }: Submitted): Promise<string> {
  const accountId = turn.terms.accountId ?? keys.account;
  const proof = { ...noProof, pin: keys.oldPin ?? null };
  const again = (say: PlainPrompt): string => askToChangePin(turn, state.failures + 1, [say]);
  return accountId === undefined || keys.oldPin === undefined
    ? tryAgain(turn, state.failures, 'notUnderstood', again)
    : set(turn, state.failures, accountId, proof, keys, again);
}

/** What was accepted in this call is the proof, or none is needed for a first PIN. */
export async function newPin(turn: Turn, state: StateOf<'new-pin'>, { keys }: Submitted): Promise<string> {
  const { accountId, verificationId, failures } = state;
  const again = (say: PlainPrompt): string =>
    askNewPin(turn, { accountId, verificationId, failures: failures + 1 }, [say]);
  return set(turn, failures, accountId, { ...noProof, verificationId }, keys, again);
}

const noProof: ProofRequest = { pin: null, verificationId: null, agentId: null, overrideReason: null };

async function set(
  turn: Turn,
  failures: number,
  accountId: string,
  proof: ProofRequest,
  keys: Submitted['keys'],
  again: (say: PlainPrompt) => string,
): Promise<string> {
  const { context, caller, policy } = turn;
  const wanted = keys.newPin ?? '';
  if (wanted !== keys.repeatPin) return tryAgain(turn, failures, 'pinsDiffer', again);
  // Before the account is looked at, so that this is said of accounts that are not there, too.
  if (isTooSimple(wanted, policy.pin.digits, accountId)) return tryAgain(turn, failures, 'pinTooSimple', again);
  try {
    await setPin(context, caller, accountId, {
      newPin: wanted,
      proof,
      // Of a first PIN the operator says whose it is; by keypad anybody could.
      alwaysProven: turn.terms.dialogue !== 'pin-set',
    });
  } catch (fault) {
    if (!isRefusal(fault)) throw fault;
    // The work that a refusal of a known account costs.
    if (fault.code === 'account_unknown') {
      await context.pins.hash(wanted);
      await checkPin(context, null, proof.pin);
    }
    return tryAgain(turn, failures, 'pinNotSet', again);
  }
  return ended(turn, { outcome: 'PIN_SET' }, ['pinSet'], 'well');
}

function isTooSimple(pin: string, digits: number, accountId: string): boolean {
  try {
    checkNewPin(pin, { digits, accountId });
    return false;
  } catch {
    return true;
  }
}

function tryAgain(turn: Turn, failures: number, say: PlainPrompt, again: (say: PlainPrompt) => string): string {
  return failures + 1 < turn.tries ? again(say) : ended(turn, unfinished(turn.terms), ['pinNotSet'], 'not well');
}
