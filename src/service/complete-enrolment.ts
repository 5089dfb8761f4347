import { VoicegateError } from '../errors.js';
import { judgeEnrolment, meanOf, type EnrolledUtterance } from '../voiceprint/judge-enrolment.js';
import { accountPseudonym, actorOf, newId, type Caller, type ServiceContext } from './context.js';
import { findDuplicates, recordDuplicates } from './duplicates.js';
import { hold, keptOf, mayHear, policyFor } from './enrolment-steps.js';
import { enrolmentView, type EnrolmentView } from './enrolment-view.js';
import type { EnrolmentUtteranceRow, VoiceprintRow } from './ports.js';
import { printFor } from './prints.js';

/**
 * Makes the voiceprint, and one by the other model where two are loaded: enough speech, one voice throughout, and looked for among other accounts' prints
 * as the policy says. The new prints supersede the old ones, by whatever model, and never overwrite them.
 * @throws VoicegateError `enrolment_unknown`, `enrolment_closed`, `enrolment_incomplete`, `enrolment_inconsistent`, `enrolment_under_review`, `model_mismatch`,
 *   `opted_out`, `consent_missing`
 */
export async function completeEnrolment(
  context: ServiceContext,
  caller: Caller,
  enrolmentId: string,
): Promise<{ readonly enrolment: EnrolmentView; readonly voiceprintId: string; readonly supersedes: string | null }> {
  const answer = await context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const { account, row } = await hold(tx, enrolmentId);
    const { accountId } = account;
    await mayHear(context, caller, tx, row);
    const policy = await policyFor(tx, row);
    const kept = await keptOf(tx, row);
    const judged = judgeEnrolment(kept.map(enrolledUtterance), policy);
    if (judged.kind === 'incomplete') {
      throw new VoicegateError('enrolment_incomplete', 'There is not enough speech yet', {
        hint: 'Send more utterances',
        details: {
          utterancesMissing: judged.missing.utterances,
          netSpeechSecondsMissing: Math.round(judged.missing.netSpeechSeconds * 100) / 100,
        },
      });
    }
    if (judged.kind === 'inconsistent') {
      throw new VoicegateError('enrolment_inconsistent', 'The utterances do not all sound like one voice', {
        hint: 'Start the enrolment again and let one person speak throughout',
        details: { leastCosine: Math.round(judged.leastCosine * 1000) / 1000 },
      });
    }
    const old = await tx.voiceprints.active(accountId);
    const print = (modelId: string, vector: Float32Array, utterances: readonly EnrolledUtterance[]): VoiceprintRow => ({
      voiceprintId: newId('vpr'),
      accountId,
      modelId,
      vector,
      utterances,
      netSpeechSeconds: judged.netSpeechSeconds,
      createdAt: now,
      enrolledAt: now,
      derivedFromVoiceprintId: null,
      supersedesVoiceprintId: printFor(modelId, old)?.voiceprintId ?? null,
      supersededAt: null,
      enrolmentId,
    });
    const made = print(row.modelId, judged.vector, kept.map(enrolledUtterance));
    const prints = [made];
    const otherModelId = context.ears.modelIds.find((modelId) => modelId !== row.modelId);
    if (otherModelId !== undefined) {
      // One voice throughout is the finding of the enrolment's model; the other's cosines may mean something else to the policy.
      const others = (await tx.enrolments.utterances(enrolmentId, otherModelId)).map(enrolledUtterance);
      if (others.length === kept.length) prints.push(print(otherModelId, meanOf(others), others));
    }
    const duplicates = await findDuplicates(context, tx, accountId, prints, policy);
    if (duplicates.length > 0 && policy.duplicates.whenFound === 'refuse') {
      await tx.enrolments.setState(enrolmentId, 'cancelled', now);
      await recordDuplicates(context, caller, tx, { account, enrolment: row }, duplicates, 'refused');
      return null;
    }
    await tx.voiceprints.replace(accountId, enrolmentId, prints, now);
    await tx.enrolments.setState(enrolmentId, 'completed', now);
    for (const { voiceprintId, modelId, supersedesVoiceprintId } of prints) {
      await tx.audit.append(
        {
          kind: 'voiceprint_created',
          by: actorOf(caller, row.agentId),
          account: accountPseudonym(account),
          voiceprintId,
          modelId,
          supersedesVoiceprintId,
        },
        now,
      );
    }
    await recordDuplicates(context, caller, tx, { account, enrolment: row }, duplicates, 'flagged');
    return {
      enrolment: enrolmentView({ ...row, state: 'completed' }, kept, policy),
      voiceprintId: made.voiceprintId,
      supersedes: made.supersedesVoiceprintId,
    };
  });
  if (answer === null) {
    // Nothing of what was found: who enrols learns of no other account.
    throw new VoicegateError('enrolment_under_review', 'The enrolment needs a review, and no voiceprint was made', {
      hint: 'Serve the caller without voice; the security team sees why',
    });
  }
  context.onEnrolled();
  return answer;
}

function enrolledUtterance({ embedding, netSpeechSeconds }: EnrolmentUtteranceRow): EnrolledUtterance {
  return { vector: embedding, netSpeechSeconds };
}
