import { afterWrongPin, gate as attemptGate } from '../decision/attempts.js';
import type { PinEvidence } from '../decision/evidence.js';
import { VoicegateError } from '../errors.js';
import { accountPseudonym, activePolicy, actorOf, known, type Caller, type ServiceContext } from './context.js';
import type { AccountRow, PolicyRow, Tx } from './ports.js';
import { recordFailure, velocityExceeded } from './velocity.js';

/**
 * What somebody shows who wants to enrol a voice or set a PIN. Enrolment must not be a way in, so:
 * a first voiceprint needs the right PIN or an agent; replacing a voiceprint or a PIN needs the old PIN, a fresh accepted verification
 * that itself included the right PIN, or an agent's override with a reason.
 */
export interface ProofRequest {
  readonly pin: string | null;
  readonly verificationId: string | null;
  readonly agentId: string | null;
  readonly overrideReason: string | null;
}

/** The proof that was found good. */
export interface Proof {
  readonly kind: 'pin' | 'agent' | 'verification' | 'override';
  readonly agentId: string | null;
  readonly reason: string | null;
}

/** Compares a PIN with the account's in constant work: with no PIN set the same hash is computed for nothing. */
export async function checkPin(
  context: ServiceContext,
  pinHash: string | null,
  pin: string | null,
): Promise<PinEvidence> {
  if (pin === null) return 'missing';
  const right = await context.pins.verify(pin, pinHash);
  if (pinHash === null) return 'not_set';
  return right ? 'right' : 'wrong';
}

/**
 * Runs `work` in a transaction if the proof is good. A wrong PIN counts on the attempt ladder and the velocity counters, in the same
 * transaction, and is audited.
 * @param replacing tells whether something is being replaced (the first PIN of an account without a voiceprint needs no proof beyond
 *   the caller’s role; a first voiceprint and any replacement do)
 * @throws VoicegateError `account_unknown`, `locked`, `rate_limited` when too many PINs failed with this key, `proof_required`,
 *   `proof_refused`, `conflict`
 */
export async function withProof<T>(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  purpose: 'enrolment' | 'pin',
  request: ProofRequest,
  replacing: (tx: Tx, account: AccountRow) => Promise<boolean>,
  work: (tx: Tx, account: AccountRow, proof: Proof | null, policy: PolicyRow, now: Date) => Promise<T>,
): Promise<T> {
  const before = await context.store.transaction(caller.tenantId, async (tx) =>
    known(await tx.accounts.get(accountId)),
  );
  const pin = await checkPin(context, before.pinHash, request.pin);
  const result = await context.store.transaction(
    caller.tenantId,
    async (tx): Promise<{ readonly value: T } | { readonly refused: VoicegateError }> => {
      const now = context.now();
      const account = known(await tx.accounts.lock(accountId));
      const policy = await activePolicy(tx, now);
      const attempts = await tx.attempts.lock(accountId);
      if (pin !== 'missing') {
        const gate = attemptGate(attempts, now);
        if (!gate.open) throw lockedError(gate.retryAt, now);
        if (await velocityExceeded(tx, caller, null, policy.document, now)) throw tooManyFailures();
        if (account.pinHash !== before.pinHash) {
          throw new VoicegateError('conflict', 'The PIN was changed while this request was being worked on', {
            hint: 'Send the request again with the current PIN',
          });
        }
      }
      if (pin === 'wrong') {
        await tx.attempts.save(accountId, afterWrongPin(attempts, policy.document.attempts, now));
        await recordFailure(tx, caller, null, accountId, now);
        await tx.audit.append(
          {
            kind: 'proof_refused',
            by: actorOf(caller, request.agentId),
            account: accountPseudonym(account),
            purpose,
            reason: 'PIN_FAILED',
          },
          now,
        );
        return {
          refused: new VoicegateError('proof_refused', 'The PIN shown as proof is not the account’s', {
            hint: 'Ask for the PIN again, or let an agent override with a reason',
          }),
        };
      }
      const replaces = await replacing(tx, account);
      const proof = await find(tx, accountId, request, pin, replaces, policy, now);
      if (proof === null && (replaces || purpose === 'enrolment')) {
        throw new VoicegateError('proof_required', replaces ? needed.replacing : needed.first, {
          hint: replaces
            ? 'Send pin, or verificationId, or agentId with overrideReason'
            : 'Send pin (the account must have one), or agentId',
        });
      }
      return { value: await work(tx, account, proof, policy, now) };
    },
  );
  if ('refused' in result) throw result.refused;
  return result.value;
}

const needed = {
  first: 'A first voiceprint needs the right PIN or an agent’s id',
  replacing:
    'Replacing needs the old PIN, an accepted verification with the right PIN, or an agent’s override with a reason',
};

async function find(
  tx: Tx,
  accountId: string,
  request: ProofRequest,
  pin: PinEvidence,
  replaces: boolean,
  policy: PolicyRow,
  now: Date,
): Promise<Proof | null> {
  if (pin === 'right') return { kind: 'pin', agentId: request.agentId, reason: request.overrideReason };
  if (request.verificationId !== null) {
    const verification = await tx.verifications.get(request.verificationId);
    const oldestMs = now.getTime() - policy.document.proofMinutes * 60_000;
    if (
      verification !== null &&
      verification.accountId === accountId &&
      verification.decision.kind === 'ACCEPT' &&
      verification.evidence.pin === 'right' &&
      verification.createdAt.getTime() >= oldestMs
    ) {
      return { kind: 'verification', agentId: request.agentId, reason: request.overrideReason };
    }
  }
  if (request.agentId !== null && request.overrideReason !== null) {
    return { kind: 'override', agentId: request.agentId, reason: request.overrideReason };
  }
  if (!replaces && request.agentId !== null) return { kind: 'agent', agentId: request.agentId, reason: null };
  return null;
}

function tooManyFailures(): VoicegateError {
  return new VoicegateError('rate_limited', 'Too many PINs failed with this key, over all accounts', {
    hint: 'Look for somebody who tries one PIN on many accounts; the limits are in the policy’s velocity',
    retryAfterSeconds: 60,
  });
}

/** The error for a closed attempt ladder. */
function lockedError(retryAt: Date | null, now: Date): VoicegateError {
  return new VoicegateError('locked', 'The account is locked after too many failures', {
    hint: retryAt === null ? 'Unlock it with POST /v1/accounts/{accountId}/unlock' : 'Wait, or unlock the account',
    ...(retryAt === null ? {} : { retryAfterSeconds: Math.ceil((retryAt.getTime() - now.getTime()) / 1000) }),
  });
}
