import { VoicegateError } from '../errors.js';
import { accountPseudonym, actorOf, type Caller, type ServiceContext } from './context.js';
import { hold, policyFor } from './enrolment-steps.js';

/** What came of an undo. */
export interface UndoneEnrolment {
  readonly enrolmentId: string;
  readonly voiceprintsErased: number;
  /** Prints that the enrolment had superseded and that judge again. */
  readonly restoredVoiceprintIds: readonly string[];
}

/**
 * Takes back an enrolment that an agent has just made: its prints are erased, and those they superseded are active again, as old as they were. Only by the
 * key that began it, with the agent's id, within the policy's `undoMinutes`, and while its prints are the account's newest. What was erased since (consent
 * withdrawn, opt-out) does not come back.
 * @throws VoicegateError `enrolment_unknown`, `forbidden` for another key, `proof_refused` for another agent, `enrolment_closed` when it is too late or not
 *   completed, `conflict` when the prints were replaced or erased meanwhile
 */
export async function undoEnrolment(
  context: ServiceContext,
  caller: Caller,
  enrolmentId: string,
  agentId: string,
): Promise<UndoneEnrolment> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const { account, row } = await hold(tx, enrolmentId);
    if (row.apiKeyId !== caller.apiKeyId) {
      throw new VoicegateError('forbidden', 'An enrolment is undone by the key that began it', {
        hint: 'Use that key; an administrator can erase the account’s voiceprints',
      });
    }
    if (row.agentId === null || row.agentId !== agentId) {
      throw new VoicegateError('proof_refused', 'The agent who undoes an enrolment is the one who made it', {
        hint: row.agentId === null ? 'No agent made this one: the caller enrolled by PIN' : 'Send that agentId',
      });
    }
    const { undoMinutes } = (await policyFor(tx, row)).enrolment;
    const isInTime = row.completedAt !== null && now.getTime() - row.completedAt.getTime() <= undoMinutes * 60_000;
    if (row.state !== 'completed' || !isInTime) {
      const title =
        row.state === 'completed'
          ? `Only ${undoMinutes} minutes are given to undo an enrolment`
          : `The enrolment is ${row.state}`;
      throw new VoicegateError('enrolment_closed', title, {
        hint:
          row.state === 'open'
            ? 'Cancel it: DELETE /v1/enrolments/{enrolmentId}'
            : 'Enrol again, or withdraw the consent',
      });
    }
    const undone = await tx.voiceprints.undo(account.accountId, enrolmentId);
    if (undone === null) {
      throw new VoicegateError('conflict', 'The voiceprint of this enrolment was replaced or erased meanwhile', {
        hint: 'See what the account has: GET /v1/accounts/{accountId}',
      });
    }
    await tx.enrolments.setState(enrolmentId, 'undone', now);
    const facts = { enrolmentId, voiceprintsErased: undone.erased, restoredVoiceprintIds: undone.restored };
    await tx.audit.append(
      { kind: 'enrolment_undone', by: actorOf(caller, agentId), account: accountPseudonym(account), ...facts },
      now,
    );
    return facts;
  });
}
