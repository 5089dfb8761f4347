import { performance } from 'node:perf_hooks';
import { afterDecision, gate as attemptGate, isCountedFailure } from '../decision/attempts.js';
import { decide } from '../decision/decide.js';
import type { Evidence } from '../decision/evidence.js';
import { issueChallenge, type ChallengeView } from './challenges.js';
import {
  accountPseudonym,
  actorOf,
  lineHash,
  newId,
  optOutHash,
  policyOf,
  type Caller,
  type ServiceContext,
} from './context.js';
import { answeredAsDecoy } from './decoy.js';
import type { Tx, VerificationRow } from './ports.js';
import { printFor } from './prints.js';
import { checkPin } from './proof.js';
import type { VerificationRequest } from './verification-request.js';
import { accountEvidence, checkNotContinued, compareVoice, openVerification } from './verify-steps.js';
import { recordFailure, velocityExceeded } from './velocity.js';

/** The decision with all that led to it; the edge leaves out what an `opaque` key may not see. */
export interface VerificationAnswer {
  readonly verification: VerificationRow;
  /** Present when one more phrase is wanted. */
  readonly nextChallenge: ChallengeView | null;
}

/**
 * The main job: decode, take the challenge, hear the voice, check the PIN, decide. All that counts happens in one transaction at the
 * end: the ladder is read again under lock, the decision made, counters, record and audit entry written.
 *
 * Audio that cannot be decoded is refused before the challenge is touched. From then on the work is the same whoever calls: an account
 * that is unknown, not enrolled, without consent, opted out or locked costs the same network run (on noise, see `Listening`) and the
 * same PIN hash.
 * @param beforeCommit runs inside the deciding transaction, e.g. to store an idempotent answer with it
 * @throws VoicegateError audio codes, `busy`, `verification_unknown` or `conflict` for a bad `continues`, `database_unavailable`
 */
export async function verify(
  context: ServiceContext,
  caller: Caller,
  request: VerificationRequest,
  beforeCommit: (tx: Tx, answer: VerificationAnswer) => Promise<void> = async () => undefined,
): Promise<VerificationAnswer> {
  const laps = stopwatch();
  const { accountId } = request;
  const line = lineHash(context, caller, request.call.lineNumber);
  const waveform = await context.ears.decode(request.audio);
  laps.mark('decode');
  const opened = await context.store.transaction(caller.tenantId, (tx) =>
    openVerification(context, caller, tx, request, line),
  );
  laps.mark('open');

  const mayListen = opened.judged && opened.account === 'enrolled' && opened.gateOpen;
  const [heard, pin] = opened.judged
    ? await Promise.all([
        context.ears.hear(waveform, {
          hears: mayListen ? 'caller' : 'decoy',
          modelId: opened.modelId,
          // While two models are loaded, time must not tell a stranger which of them was asked, or that none was.
          ...(caller.answer === 'opaque' ? { otherHears: 'decoy' } : {}),
        }),
        checkPin(context, mayListen ? opened.pinHash : null, request.pin),
      ])
    : [null, null];
  laps.mark('listen');

  const answer = await context.store.transaction(caller.tenantId, async (tx) => {
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
    const weigh = mayListen && gate === 'open' && account === 'enrolled';
    const samePin = (row?.pinHash ?? null) === opened.pinHash;
    const evidence: Evidence = {
      account,
      challenge: opened.challenge,
      quality:
        heard === null || gate !== 'open'
          ? { kind: 'not_measured' }
          : { kind: 'measured', report: heard.report, minWindowCosine: heard.minWindowCosine },
      voice: weigh && heard !== null ? compareVoice(context, print, heard, now) : { kind: 'not_compared' },
      phrase: { kind: 'not_performed' },
      pin: request.pin === null ? 'missing' : weigh && samePin && pin !== null ? pin : 'not_checked',
      call: { continuesGiven: opened.continuesGiven },
      gate,
    };
    const honest = decide(evidence, policy.document, request.tier);
    const { decision, counted } =
      caller.answer === 'opaque' && gate === 'open' && account !== 'enrolled'
        ? answeredAsDecoy(context, caller, request, evidence, heard, honest, policy.document)
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
      timingsMs: laps.taken(),
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
    return { verification, nextChallenge };
  });
  const { decision } = answer.verification;
  context.onDecided(decision.kind, decision.reasons, request.tier);
  return answer;
}

function stopwatch(): { mark(name: string): void; taken(): Readonly<Record<string, number>> } {
  const laps: Record<string, number> = {};
  let lastMs = performance.now();
  return {
    mark(name) {
      const nowMs = performance.now();
      laps[name] = Math.round((nowMs - lastMs) * 100) / 100;
      lastMs = nowMs;
    },
    taken: () => ({ ...laps }),
  };
}
