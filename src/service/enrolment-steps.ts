import type { PolicyDocument } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import { requireConsent } from './accounts.js';
import { known, type Caller, type ServiceContext } from './context.js';
import { progressOf, type EnrolmentProgress } from './enrolment-view.js';
import type { AccountRow, EnrolmentRow, EnrolmentUtteranceRow, Tx } from './ports.js';

/** The utterances kept so far, as the enrolment's own model heard them. */
export function keptOf(tx: Tx, { enrolmentId, modelId }: EnrolmentRow): Promise<readonly EnrolmentUtteranceRow[]> {
  return tx.enrolments.utterances(enrolmentId, modelId);
}

/** The enrolment and its account, held until the transaction ends. */
export async function hold(
  tx: Tx,
  enrolmentId: string,
): Promise<{ readonly account: AccountRow; readonly row: EnrolmentRow }> {
  const { accountId } = found(await tx.enrolments.get(enrolmentId));
  const account = known(await tx.accounts.lock(accountId));
  return { account, row: found(await tx.enrolments.lock(enrolmentId)) };
}

/**
 * The enrolment goes on: open, in time, begun with a model that is loaded, and consented.
 * @throws VoicegateError `opted_out`, `consent_missing`, `enrolment_closed`, `model_mismatch`
 */
export async function mayHear(context: ServiceContext, caller: Caller, tx: Tx, row: EnrolmentRow): Promise<void> {
  // Consent first: whoever withdrew it also closed the enrolment, and is to be told so.
  await requireConsent(context, caller, tx, row.accountId);
  stillOpen(row, context.now());
  const { modelIds } = context.ears;
  if (!modelIds.includes(row.modelId)) {
    throw new VoicegateError(
      'model_mismatch',
      `The enrolment was started with model ${row.modelId}, now ${modelIds.join(' and ')} is loaded`,
      {
        hint: 'Start a new enrolment',
      },
    );
  }
}

/** An enrolment that may go on. */
export interface OngoingEnrolment {
  readonly row: EnrolmentRow;
  readonly policy: PolicyDocument;
  readonly progress: EnrolmentProgress;
}

/** The enrolment with what was kept so far, if audio for it may be heard. @throws VoicegateError `enrolment_unknown`, those of `mayHear` */
export async function ongoing(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  enrolmentId: string,
): Promise<OngoingEnrolment> {
  const row = found(await tx.enrolments.get(enrolmentId));
  await mayHear(context, caller, tx, row);
  const policy = await policyFor(tx, row);
  return { row, policy, progress: progressOf(await keptOf(tx, row), policy) };
}

/** The policy that the enrolment was started under. @throws VoicegateError `policy_unknown` */
export async function policyFor(tx: Tx, row: EnrolmentRow): Promise<PolicyDocument> {
  const policy = await tx.policies.get(row.policyVersion);
  if (policy === null) throw new VoicegateError('policy_unknown', `Policy version ${row.policyVersion} is gone`);
  return policy.document;
}

/** The enrolment that was asked for. @throws VoicegateError `enrolment_unknown` */
export function found(row: EnrolmentRow | null): EnrolmentRow {
  if (row === null) {
    throw new VoicegateError('enrolment_unknown', 'There is no such enrolment', {
      hint: 'Start one with POST /v1/accounts/{accountId}/enrolments',
    });
  }
  return row;
}

/** @throws VoicegateError `enrolment_closed` */
export function stillOpen(row: EnrolmentRow, now: Date): void {
  if (row.state !== 'open') {
    throw new VoicegateError('enrolment_closed', `The enrolment is ${row.state}`, { hint: 'Start a new one' });
  }
  if (now >= row.expiresAt) {
    throw new VoicegateError('enrolment_closed', 'The enrolment has expired', { hint: 'Start a new one' });
  }
}
