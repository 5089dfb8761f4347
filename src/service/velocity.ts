import type { PolicyDocument } from '../decision/policy.js';
import { isTooFast, velocityWindowStart } from '../decision/velocity.js';
import type { Caller } from './context.js';
import type { Tx } from './ports.js';

const lineSubject = (line: Uint8Array): string => `line:${Buffer.from(line).toString('hex')}`;
const keySubject = (caller: Caller): string => `key:${caller.apiKeyId ?? 'command-line'}`;

/**
 * The second counter: failures by the caller's line and by API key, over all accounts, so that one PIN tried on many accounts is found
 * although no single account's ladder moves far. A line's callers are counted one after another; a key is a whole IVR with limits in
 * the thousands, where holding a lock would cost more than a few attempts over the limit.
 */
export async function velocityExceeded(
  tx: Tx,
  caller: Caller,
  line: Uint8Array | null,
  policy: PolicyDocument,
  now: Date,
): Promise<boolean> {
  const since = velocityWindowStart(now, policy.velocity);
  if (line !== null) {
    const subject = lineSubject(line);
    await tx.velocity.lock(subject);
    if (isTooFast('line', await tx.velocity.counts(subject, since), policy.velocity)) return true;
  }
  return isTooFast('key', await tx.velocity.counts(keySubject(caller), since), policy.velocity);
}

/** Records one counted failure under the line and the key. */
export async function recordFailure(
  tx: Tx,
  caller: Caller,
  line: Uint8Array | null,
  accountId: string,
  at: Date,
): Promise<void> {
  if (line !== null) await tx.velocity.record(lineSubject(line), accountId, at);
  await tx.velocity.record(keySubject(caller), accountId, at);
}
