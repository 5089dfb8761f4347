import { checkNewPin } from '../credential/pin-rules.js';
import { activePolicy, accountPseudonym, actorOf, known, type Caller, type ServiceContext } from './context.js';
import { withProof, type ProofRequest } from './proof.js';

/** A new PIN and, where one is replaced, what allows it. */
export interface PinRequest {
  readonly newPin: string;
  readonly proof: ProofRequest;
  /** Wants a proof even where nothing is replaced: for callers whom nobody has identified. By default a first PIN needs none. */
  readonly alwaysProven?: boolean;
}

/**
 * Sets or replaces the PIN. A replaced PIN keeps the attempt ladder as it is: setting a PIN does not open a locked account; an open
 * enrolment is given up with the PIN that it was started under.
 * @throws VoicegateError `account_unknown`, `pin_invalid`, `pin_too_simple`, and those of `withProof`
 */
export async function setPin(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  request: PinRequest,
): Promise<{ readonly accountId: string; readonly pinSetAt: Date }> {
  const policy = await context.store.transaction(caller.tenantId, async (tx) => {
    known(await tx.accounts.get(accountId));
    return activePolicy(tx, context.now());
  });
  checkNewPin(request.newPin, { digits: policy.document.pin.digits, accountId });
  const pinHash = await context.pins.hash(request.newPin);
  return withProof(
    context,
    caller,
    accountId,
    'pin',
    request.proof,
    // A first PIN counts as a replacement where there is a voiceprint: it could be shown as the proof that replaces the print.
    async (tx, account) =>
      request.alwaysProven === true || account.pinHash !== null || (await tx.voiceprints.active(accountId)).length > 0,
    async (tx, account, proof, _policy, now) => {
      await tx.accounts.setPin(accountId, pinHash, now);
      // What the old PIN opened is closed with it.
      if (account.pinHash !== null) await tx.enrolments.supersedeOpen(accountId);
      await tx.audit.append(
        {
          kind: 'pin_set',
          by: actorOf(caller, request.proof.agentId),
          account: accountPseudonym(account),
          replaced: account.pinHash !== null,
          proof: proof?.kind ?? 'first',
          reason: proof?.reason ?? null,
        },
        now,
      );
      return { accountId, pinSetAt: now };
    },
  );
}
