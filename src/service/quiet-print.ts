import { countedVerdict } from '../challenge/phrase.js';
import type { Evidence } from '../decision/evidence.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Decision, Tier } from '../decision/reasons.js';
import { judgeEnrolment } from '../voiceprint/judge-enrolment.js';
import { judgeUtterance } from '../voiceprint/judge-utterance.js';
import { accountPseudonym, actorOf, newId, optOutHash, policyOf, type Caller, type ServiceContext } from './context.js';
import type { Heard } from './listen.js';
import type { ActivePrint, QuietResult, Tx } from './ports.js';

/** A verification that was just decided, with what is not in its record. */
export interface DecidedCall {
  readonly accountId: string;
  readonly verificationId: string;
  readonly tier: Tier;
  readonly decision: Decision;
  readonly evidence: Evidence;
  readonly policy: PolicyDocument;
  readonly heard: Heard | null;
  /** The account's prints at the decision. */
  readonly prints: readonly ActivePrint[];
}

/**
 * Lets a call that was accepted at the high tier give an utterance for a print by the model that the policy names, and makes the print when
 * enough were gathered. Comes after the decision has been committed, so that it costs no other call anything and its time tells only
 * what ACCEPT told already. The call is answered whatever happens here: faults are reported, not thrown.
 */
export async function gatherQuietly(context: ServiceContext, caller: Caller, call: DecidedCall): Promise<void> {
  const modelId = modelServed(context, call);
  if (modelId === null || call.heard === null) return;
  try {
    const embedding = await context.ears.embed(call.heard, modelId);
    if (embedding === null) return;
    const result = await context.store.transaction(caller.tenantId, (tx) =>
      keep(context, caller, tx, call, {
        modelId,
        vector: embedding.vector,
        netSpeechSeconds: embedding.netSpeechSeconds,
      }),
    );
    context.onQuietUtterance(result);
    if (result === 'made') context.onEnrolled();
  } catch (fault) {
    context.onQuietUtterance('failed', fault);
  }
}

/** The model for which this call may give an utterance; null for none, which is nearly every call. */
function modelServed({ ears }: ServiceContext, call: DecidedCall): string | null {
  const { evidence, policy, heard, prints } = call;
  const { quietPrintsOf, minVoiceLlr } = policy.modelChange;
  if (quietPrintsOf === null || !ears.modelIds.includes(quietPrintsOf)) return null;
  if (call.decision.kind !== 'ACCEPT' || call.tier !== 'high' || heard === null) return null;
  // What the high tier asks for, said again: no later rule of the tiers may make prints of less.
  const { pin, phrase, voice } = evidence;
  const said = countedVerdict(phrase, policy.challenge.trustedExperimentalLanguages);
  if (pin !== 'right' || said !== 'match') return null;
  if (voice.kind !== 'compared' || !(voice.llr >= minVoiceLlr)) return null;
  if (prints.some((print) => print.modelId === quietPrintsOf) || judgeUtterance(heard, phrase, policy).length > 0)
    return null;
  return quietPrintsOf;
}

/** Under the account's lock, as everything that ends a consent or replaces a print: nothing is kept behind its back. */
async function keep(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  call: DecidedCall,
  utterance: { readonly modelId: string; readonly vector: Float32Array; readonly netSpeechSeconds: number },
): Promise<QuietResult> {
  const { accountId, verificationId } = call;
  const { modelId } = utterance;
  const now = context.now();
  const account = await tx.accounts.lock(accountId);
  const { optedOut, consented, prints, policyVersion } = await tx.standing(
    accountId,
    optOutHash(context, caller, accountId),
  );
  const { document: policy } = await policyOf(context, caller, tx, policyVersion);
  const judge = call.evidence.voice.kind === 'compared' ? call.evidence.voice.modelId : null;
  const judged = call.prints.find((print) => print.modelId === judge);
  const base = prints.find((print) => print.voiceprintId === judged?.voiceprintId);
  const wanted = policy.modelChange.quietPrintsOf === modelId && !prints.some((print) => print.modelId === modelId);
  if (account === null || optedOut || !consented || base === undefined || !wanted) return 'nothing';
  await tx.modelChange.addCandidate({
    verificationId,
    accountId,
    modelId,
    baseVoiceprintId: base.voiceprintId,
    embedding: utterance.vector,
    netSpeechSeconds: utterance.netSpeechSeconds,
    createdAt: now,
  });
  const gathered = await tx.modelChange.candidates(accountId, modelId);
  const utterances = gathered.map((one) => ({ vector: one.embedding, netSpeechSeconds: one.netSpeechSeconds }));
  const found = judgeEnrolment(utterances, policy);
  if (found.kind === 'incomplete') return 'gathered';
  if (found.kind === 'inconsistent') {
    const odd = gathered[found.oddOneOut];
    if (odd !== undefined) await tx.modelChange.dropCandidate(odd.verificationId, modelId);
    return 'dropped';
  }
  const voiceprintId = newId('vpr');
  await tx.voiceprints.add({
    voiceprintId,
    accountId,
    modelId,
    vector: found.vector,
    utterances,
    netSpeechSeconds: found.netSpeechSeconds,
    createdAt: now,
    // No younger, and no less a replacement, than the print on whose word it was made.
    enrolledAt: base.enrolledAt,
    supersedesVoiceprintId: base.supersedesVoiceprintId,
    derivedFromVoiceprintId: base.voiceprintId,
    supersededAt: null,
    enrolmentId: null,
  });
  await tx.modelChange.dropCandidates(accountId, modelId);
  await tx.audit.append(
    {
      kind: 'voiceprint_migrated',
      by: actorOf(caller),
      account: accountPseudonym(account),
      voiceprintId,
      modelId,
      derivedFromVoiceprintId: base.voiceprintId,
      derivedFromModelId: base.modelId,
      verificationIds: gathered.map((one) => one.verificationId),
    },
    now,
  );
  return 'made';
}
