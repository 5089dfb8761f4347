import { VoicegateError } from '../errors.js';
import { actorOf, type Caller, type ServiceContext } from './context.js';
import type { VerificationRow } from './ports.js';

/** How a call ended. */
export interface OutcomeRequest {
  /** The factor that ended a STEP_UP, e.g. `sms_otp`, `agent_questions`; null when only a label is given. */
  readonly factor: string | null;
  readonly passed: boolean | null;
  readonly label: 'genuine' | 'fraud' | null;
}

/**
 * Ends a STEP_UP or labels a call. A label may be given to any verification, a factor only to a STEP_UP and once.
 * @throws VoicegateError `verification_unknown`, `outcome_not_open`
 */
export async function recordOutcome(
  context: ServiceContext,
  caller: Caller,
  verificationId: string,
  request: OutcomeRequest,
): Promise<VerificationRow> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const row = visible(caller, await tx.verifications.lock(verificationId));
    if (request.factor !== null) {
      if (row.decision.kind !== 'STEP_UP') {
        throw new VoicegateError('outcome_not_open', 'Only a STEP_UP can be ended by another factor', {
          hint: 'Send label alone to say what the call turned out to be',
        });
      }
      if (row.outcome !== null && row.outcome.factor !== null) {
        throw new VoicegateError('outcome_not_open', 'This STEP_UP has been ended already');
      }
    }
    const now = context.now();
    const outcome = {
      factor: request.factor ?? row.outcome?.factor ?? null,
      passed: request.factor === null ? (row.outcome?.passed ?? null) : request.passed,
      label: request.label ?? row.outcome?.label ?? null,
      recordedAt: now,
    };
    await tx.verifications.setOutcome(verificationId, outcome);
    await tx.audit.append(
      {
        kind: 'outcome_recorded',
        by: actorOf(caller),
        account: row.pseudonym,
        verificationId,
        factor: outcome.factor,
        passed: outcome.passed,
        label: outcome.label,
      },
      now,
    );
    return { ...row, outcome };
  });
}

/** One verification's record. @throws VoicegateError `verification_unknown` */
export async function getVerification(
  context: ServiceContext,
  caller: Caller,
  verificationId: string,
): Promise<VerificationRow> {
  return context.store.transaction(caller.tenantId, async (tx) =>
    visible(caller, await tx.verifications.get(verificationId)),
  );
}

/** A verifier sees its own calls; analysts and administrators see all of the tenant's. */
function visible(caller: Caller, row: VerificationRow | null): VerificationRow {
  const sees =
    row !== null &&
    (row.apiKeyId === caller.apiKeyId || caller.roles.includes('analyst') || caller.roles.includes('admin'));
  if (!sees) throw new VoicegateError('verification_unknown', 'There is no such verification for this key');
  return row;
}
