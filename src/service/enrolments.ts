import { enrolmentPrompts } from '../challenge/draw.js';
import type { Language } from '../challenge/languages.js';
import type { QualityReport } from '../audio/waveform.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Reason } from '../decision/reasons.js';
import { VoicegateError } from '../errors.js';
import { judgeEnrolment, meanOf, type EnrolledUtterance } from '../voiceprint/judge-enrolment.js';
import { judgeUtterance } from '../voiceprint/judge-utterance.js';
import { requireConsent } from './accounts.js';
import { accountPseudonym, actorOf, known, newId, type Caller, type ServiceContext } from './context.js';
import { enrolmentView, progressOf, type EnrolmentProgress, type EnrolmentView } from './enrolment-view.js';
import type { AudioInput } from './listen.js';
import type { AccountRow, EnrolmentRow, EnrolmentUtteranceRow, Tx, VoiceprintRow } from './ports.js';
import { printFor } from './prints.js';
import { withProof, type ProofRequest } from './proof.js';

/** The answer to one utterance. */
export interface UtteranceAnswer {
  readonly accepted: boolean;
  /** Why not; empty when accepted. */
  readonly reasons: readonly Reason[];
  readonly quality: QualityReport;
  readonly progress: EnrolmentProgress;
}

/** Starts an enrolment; an open one of the account is given up. @throws VoicegateError those of `withProof` and `requireConsent` */
export async function startEnrolment(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  request: { readonly language: Language; readonly proof: ProofRequest },
): Promise<EnrolmentView> {
  return withProof(
    context,
    caller,
    accountId,
    'enrolment',
    request.proof,
    async (tx) => {
      await requireConsent(context, caller, tx, accountId);
      return (await tx.voiceprints.active(accountId)).length > 0;
    },
    async (tx, account, proof, policy, now) => {
      const rules = policy.document.enrolment;
      const row: EnrolmentRow = {
        enrolmentId: newId('enr'),
        accountId,
        state: 'open',
        modelId: context.ears.modelIds[0],
        policyVersion: policy.version,
        language: request.language,
        prompts: enrolmentPrompts({ count: rules.maxUtterances, digits: rules.promptDigits }),
        proof: proof?.kind ?? 'agent',
        agentId: request.proof.agentId,
        replacesVoiceprint: (await tx.voiceprints.active(accountId)).length > 0,
        createdAt: now,
        expiresAt: new Date(now.getTime() + rules.validitySeconds * 1000),
      };
      await tx.enrolments.supersedeOpen(accountId);
      await tx.enrolments.insert(row);
      await tx.audit.append(
        {
          kind: 'enrolment_started',
          by: actorOf(caller, request.proof.agentId),
          account: accountPseudonym(account),
          enrolmentId: row.enrolmentId,
          proof: row.proof,
          reason: proof?.reason ?? null,
        },
        now,
      );
      return enrolmentView(row, [], policy.document);
    },
  );
}

/** @throws VoicegateError `enrolment_unknown` */
export async function getEnrolment(
  context: ServiceContext,
  caller: Caller,
  enrolmentId: string,
): Promise<EnrolmentView> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const row = found(await tx.enrolments.get(enrolmentId));
    return enrolmentView(row, await keptOf(tx, row), await policyFor(tx, row));
  });
}

/** Gives an open enrolment up and erases its utterances. @throws VoicegateError `enrolment_unknown`, `enrolment_closed` */
export async function cancelEnrolment(context: ServiceContext, caller: Caller, enrolmentId: string): Promise<void> {
  await context.store.transaction(caller.tenantId, async (tx) => {
    const { account, row } = await hold(tx, enrolmentId);
    stillOpen(row, context.now());
    await tx.enrolments.setState(enrolmentId, 'cancelled');
    await tx.audit.append(
      { kind: 'enrolment_cancelled', by: actorOf(caller), account: accountPseudonym(account), enrolmentId },
      context.now(),
    );
  });
}

/**
 * Hears one utterance. Nothing is embedded without consent; what is not accepted is not kept.
 * @throws VoicegateError `enrolment_unknown`, `enrolment_closed`, `model_mismatch`, `opted_out`, `consent_missing`, audio codes, `busy`
 */
export async function addUtterance(
  context: ServiceContext,
  caller: Caller,
  enrolmentId: string,
  audio: AudioInput,
): Promise<UtteranceAnswer> {
  const { rules, modelId } = await context.store.transaction(caller.tenantId, async (tx) => {
    const row = found(await tx.enrolments.get(enrolmentId));
    await mayHear(context, caller, tx, row);
    const policy = await policyFor(tx, row);
    roomForOneMore((await keptOf(tx, row)).length, policy);
    return { rules: policy, modelId: row.modelId };
  });
  const waveform = await context.ears.decode(audio);
  const heard = await context.ears.hear(waveform, { hears: 'caller', modelId, otherHears: 'caller' });
  const refused = judgeUtterance(heard, rules);
  return context.store.transaction(caller.tenantId, async (tx) => {
    // Under the account's lock, as everything that ends a consent: what it erases cannot come in behind its back.
    const { row } = await hold(tx, enrolmentId);
    await mayHear(context, caller, tx, row);
    if (refused.length === 0 && heard.embedding !== null) {
      roomForOneMore((await keptOf(tx, row)).length, rules);
      const facts = { utteranceId: newId('utt'), enrolmentId, createdAt: context.now() };
      for (const { modelId: byModel, vector, netSpeechSeconds } of [heard.embedding, heard.otherEmbedding].filter(
        (one) => one !== null,
      )) {
        await tx.enrolments.addUtterance({ ...facts, modelId: byModel, embedding: vector, netSpeechSeconds });
      }
    }
    const kept = await keptOf(tx, row);
    return {
      accepted: refused.length === 0,
      reasons: refused,
      quality: heard.report,
      progress: progressOf(kept, rules),
    };
  });
}

/**
 * Makes the voiceprint, and one by the other model where two are loaded: enough speech, one voice throughout. The new prints supersede
 * the old ones, by whatever model, and never overwrite them.
 * @throws VoicegateError `enrolment_unknown`, `enrolment_closed`, `enrolment_incomplete`, `enrolment_inconsistent`, `model_mismatch`,
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
    });
    const made = print(row.modelId, judged.vector, kept.map(enrolledUtterance));
    const prints = [made];
    const otherModelId = context.ears.modelIds.find((modelId) => modelId !== row.modelId);
    if (otherModelId !== undefined) {
      // One voice throughout is the finding of the enrolment's model; the other's cosines may mean something else to the policy.
      const others = (await tx.enrolments.utterances(enrolmentId, otherModelId)).map(enrolledUtterance);
      if (others.length === kept.length) prints.push(print(otherModelId, meanOf(others), others));
    }
    await tx.voiceprints.replace(accountId, prints, now);
    await tx.enrolments.setState(enrolmentId, 'completed');
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
    return {
      enrolment: enrolmentView({ ...row, state: 'completed' }, kept, policy),
      voiceprintId: made.voiceprintId,
      supersedes: made.supersedesVoiceprintId,
    };
  });
  context.onEnrolled();
  return answer;
}

/** The utterances kept so far, as the enrolment's own model heard them. */
function keptOf(tx: Tx, { enrolmentId, modelId }: EnrolmentRow): Promise<readonly EnrolmentUtteranceRow[]> {
  return tx.enrolments.utterances(enrolmentId, modelId);
}

function enrolledUtterance({ embedding, netSpeechSeconds }: EnrolmentUtteranceRow): EnrolledUtterance {
  return { vector: embedding, netSpeechSeconds };
}

/** The enrolment and its account, held until the transaction ends. */
async function hold(
  tx: Tx,
  enrolmentId: string,
): Promise<{ readonly account: AccountRow; readonly row: EnrolmentRow }> {
  const { accountId } = found(await tx.enrolments.get(enrolmentId));
  const account = known(await tx.accounts.lock(accountId));
  return { account, row: found(await tx.enrolments.lock(enrolmentId)) };
}

function roomForOneMore(kept: number, { enrolment }: PolicyDocument): void {
  if (kept < enrolment.maxUtterances) return;
  throw new VoicegateError('enrolment_closed', `The enrolment has its most utterances, ${kept}`, {
    hint: 'Complete it, or start again',
  });
}

async function mayHear(context: ServiceContext, caller: Caller, tx: Tx, row: EnrolmentRow): Promise<void> {
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
  await requireConsent(context, caller, tx, row.accountId);
}

async function policyFor(tx: Tx, row: EnrolmentRow): Promise<PolicyDocument> {
  const policy = await tx.policies.get(row.policyVersion);
  if (policy === null) throw new VoicegateError('policy_unknown', `Policy version ${row.policyVersion} is gone`);
  return policy.document;
}

function found(row: EnrolmentRow | null): EnrolmentRow {
  if (row === null) {
    throw new VoicegateError('enrolment_unknown', 'There is no such enrolment', {
      hint: 'Start one with POST /v1/accounts/{accountId}/enrolments',
    });
  }
  return row;
}

function stillOpen(row: EnrolmentRow, now: Date): void {
  if (row.state !== 'open') {
    throw new VoicegateError('enrolment_closed', `The enrolment is ${row.state}`, { hint: 'Start a new one' });
  }
  if (now >= row.expiresAt) {
    throw new VoicegateError('enrolment_closed', 'The enrolment has expired', { hint: 'Start a new one' });
  }
}
