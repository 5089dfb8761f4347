import type { Static } from 'typebox';
import type { ChallengeView } from '../service/challenges.js';
import type { Caller } from '../service/context.js';
import type { VerificationRow } from '../service/ports.js';
import type { verification } from './schemas.js';

/** What a key may see of a verification: an opaque one the decision only, a full one the reasons and the evidence. */
export function verificationView(
  caller: Caller,
  row: VerificationRow,
  nextChallenge: ChallengeView | null,
): Static<typeof verification> {
  const bare = { verificationId: row.verificationId, decision: row.decision.kind, nextChallenge };
  if (caller.answer === 'opaque') return bare;
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
