import type { ChallengeView } from './challenges.js';
import type { Caller } from './context.js';
import type { VerificationRow } from './ports.js';

/** What a key may see of a verification: an opaque one the decision only, a full one the reasons and the evidence. */
export function verificationView(
  { answer }: Pick<Caller, 'answer'>,
  row: VerificationRow,
  nextChallenge: ChallengeView | null,
) {
  const bare = { verificationId: row.verificationId, decision: row.decision.kind, nextChallenge };
  if (answer === 'opaque') return bare;
  return {
    ...bare,
    reasons: row.decision.reasons,
    tier: row.tier,
    accountId: row.accountId,
    evidence: row.evidence,
    policyVersion: row.policyVersion,
    modelId: row.modelId,
    timingsMs: { ...row.timingsMs },
    createdAt: row.createdAt,
    outcome: row.outcome,
  };
}
