import { timingSafeEqual } from 'node:crypto';
import type { PinEvidence } from '../decision/evidence.js';
import { keyedHash } from '../ops/secrets.js';
import type { Caller, ServiceContext } from './context.js';
import { checkPin } from './proof.js';

/** A PIN that was compared before the judgement and not kept. It counts at the judgement, and nothing tells before what it was found to be. */
export interface CheckedPin {
  readonly evidence: PinEvidence;
  /** Which PIN of the account it was compared with; null: it had none. */
  readonly mark: Uint8Array | null;
}

/** Compares a PIN for a later judgement, in the same work for every id, known or not. */
export async function checkPinAhead(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  pin: string,
): Promise<CheckedPin> {
  const account = await context.store.transaction(caller.tenantId, (tx) => tx.accounts.get(accountId));
  const pinHash = account?.pinHash ?? null;
  return { evidence: await checkPin(context, pinHash, pin), mark: pinMark(context, pinHash) };
}

/** What the comparison is worth now: nothing, if the PIN was set anew since. @param pinHash the account's PIN at the judgement */
export function pinNow(context: ServiceContext, checked: CheckedPin, pinHash: string | null): PinEvidence {
  const now = pinMark(context, pinHash);
  const { evidence, mark } = checked;
  const same = mark === null || now === null ? mark === null && now === null : timingSafeEqual(mark, now);
  return same ? evidence : 'not_checked';
}

/** Marks the PIN that one was checked against without keeping it. */
export const pinMark = (context: ServiceContext, pinHash: string | null): Buffer | null =>
  pinHash === null ? null : keyedHash(context.hashKey, 'pin-mark', pinHash);
