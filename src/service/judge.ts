import { notPerformed } from '../challenge/phrase.js';
import { afterDecision, gate as attemptGate, isCountedFailure } from '../decision/attempts.js';
import { decide } from '../decision/decide.js';
import { mayListen, type Attempt } from './attempt.js';
import { issueChallenge, type ChallengeView } from './challenges.js';
import { accountPseudonym, actorOf, newId, optOutHash, policyOf, type Caller, type ServiceContext } from './context.js';
import { answeredAsDecoy } from './decoy.js';
import type { Tx, VerificationRow } from './ports.js';
import { printFor } from './prints.js';
import { gatherQuietly } from './quiet-print.js';
import { accountEvidence, checkNotContinued, comparePhrase, compareVoice, withFused } from './verify-steps.js';
import { recordFailure, velocityExceeded } from './velocity.js';

/** The decision with all that led to it; the edge leaves out what an `opaque` key may not see. */
export interface VerificationAnswer {
  readonly verification: VerificationRow;
  /** Present when one more phrase is wanted. */
  readonly nextChallenge: ChallengeView | null;
}

/**
 * Judges an attempt. Files and calls meet here, so they cannot be judged by different rules. All that counts happens in this one transaction:
 * the ladder is read again under lock, the decision made, counters, record and audit entry written.
 * @param beforeCommit runs inside the transaction, e.g. to store an idempotent answer with it
 * @throws VoicegateError `conflict` when another verification continued the same one meanwhile, `database_unavailable`
 */
export async function judge(
  context: ServiceContext,
  caller: Caller,
  attempt: Attempt,
  beforeCommit: (tx: Tx, answer: VerificationAnswer) => Promise<void> = async () => undefined,
): Promise<VerificationAnswer> {
  const { request, opened, line, heard } = attempt;
  const { accountId } = request;
  const { answer, prints, policy } = await context.store.transaction(caller.tenantId, async (tx) => {
    // Once more, now under lock: the account may have been erased, locked, opted out or given a new PIN while we listened.
    const now = context.now();
    await tx.accounts.lock(accountId);
    const attempts = await tx.attempts.lock(accountId);
    await checkNotContinued(tx, request.continues);
    const standing = await tx.standing(accountId, optOutHash(context, caller, accountId));
    const { account: row, policyVersion } = standing;
    const account = accountEvidence(standing);
    const print = printFor(opened.modelId, standing.prints);
    const policy = await policyOf(context, caller, tx, policyVersion);
    const ladderOpen = attemptGate(attempts, now).open;
    const tooFast = await velocityExceeded(tx, caller, line, policy.document, now);
    const gate = !ladderOpen ? 'locked' : tooFast ? 'velocity' : 'open';
    const weigh = mayListen(opened) && gate === 'open' && account === 'enrolled';
    const samePin = (row?.pinHash ?? null) === opened.pinHash;
    const evidence = withFused(context, {
      account,
      challenge: opened.challenge,
      quality:
        heard === null || gate !== 'open'
          ? { kind: 'not_measured' }
          : { kind: 'measured', report: heard.report, minWindowCosine: heard.minWindowCosine },
      voice: weigh && heard !== null ? compareVoice(context, print, heard, now) : { kind: 'not_compared' },
      phrase: weigh && heard !== null ? comparePhrase(opened, heard) : notPerformed,
      pin: attempt.pin === null ? 'missing' : weigh && samePin ? attempt.pin : 'not_checked',
      call: { continuesGiven: opened.continuesGiven, identifiedByAgent: request.identifiedByAgent },
      gate,
    });
    const honest = decide(evidence, policy.document, request.tier);
    const { decision, counted } =
      caller.answer === 'opaque' && gate === 'open' && account !== 'enrolled'
        ? answeredAsDecoy(context, caller, attempt, evidence, honest, policy.document)
        : { decision: honest, counted: honest };
    const counters = afterDecision(attempts, counted, evidence.pin, policy.document.attempts, now);
    if (counters !== attempts) await tx.attempts.save(accountId, counters);
    const asked = decision.kind === 'CONTINUE';
    const nextChallenge = asked
      ? await issueChallenge(tx, policy.document, { accountId, language: opened.language, line, now })
      : null;
    const verification: VerificationRow = {
      verificationId: newId('ver'),
      // Erased while we listened: the record must not bring the id back.
      accountId: row === null && opened.known ? null : accountId,
      pseudonym: row === null ? null : accountPseudonym(row),
      apiKeyId: caller.apiKeyId ?? 'command-line',
      challengeId: request.challengeId,
      continuesVerificationId: request.continues,
      continuesGiven: opened.continuesGiven + (asked ? 1 : 0),
      tier: request.tier,
      decision,
      evidence,
      policyVersion: policy.version,
      modelId: opened.modelId,
      callId: request.call.callId,
      lineHash: line,
      channel: request.call.channel,
      agentId: request.call.agentId,
      createdAt: now,
      timingsMs: attempt.timingsMs(),
      outcome: null,
    };
    await tx.verifications.insert(verification);
    if (isCountedFailure(counted)) await recordFailure(tx, caller, line, accountId, now);
    await beforeCommit(tx, { verification, nextChallenge });
    await tx.audit.append(
      {
        kind: 'verification_decided',
        by: actorOf(caller, request.call.agentId),
        account: verification.pseudonym,
        verificationId: verification.verificationId,
        tier: request.tier,
        decision: decision.kind,
        reasons: decision.reasons,
        policyVersion: policy.version,
        modelId: opened.modelId,
      },
      now,
    );
    return { answer: { verification, nextChallenge }, prints: standing.prints, policy: policy.document };
  });
  const { decision, evidence, verificationId } = answer.verification;
  context.onDecided(decision.kind, decision.reasons, request.tier);
  const call = { accountId, verificationId, tier: request.tier, decision, evidence, policy, heard, prints };
  await gatherQuietly(context, caller, call);
  return answer;
}
