import { timingSafeEqual } from 'node:crypto';

/** What is kept of a challenge that was given out. A row of the challenge table has these fields. */
export interface IssuedChallenge {
  readonly accountId: string;
  readonly purpose: string;
  /** Keyed hash of the caller's line, or null when none was given: then it is bound to no line. */
  readonly lineHash: Uint8Array | null;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

/** What it is to be used for now. */
export interface ChallengeUse {
  readonly accountId: string;
  readonly purpose: string;
  readonly lineHash: Uint8Array | null;
}

/** `mismatch`: unknown, or made for another account, purpose or line. */
export type ChallengeState = 'valid' | 'expired' | 'reused' | 'mismatch';

/**
 * Whether a challenge is good for this use at `now`. A challenge of somebody else tells nothing of its life: mismatch comes first,
 * then reused, then expired. It is good until the instant it expires, exclusively.
 * @param challenge the row, or null when there is none of that id
 */
export function challengeState(challenge: IssuedChallenge | null, use: ChallengeUse, now: Date): ChallengeState {
  if (challenge === null || challenge.accountId !== use.accountId || challenge.purpose !== use.purpose)
    return 'mismatch';
  if (challenge.lineHash !== null && !isSameHash(challenge.lineHash, use.lineHash)) return 'mismatch';
  if (challenge.usedAt !== null) return 'reused';
  return now < challenge.expiresAt ? 'valid' : 'expired';
}

function isSameHash(a: Uint8Array, b: Uint8Array | null): boolean {
  return b !== null && a.length === b.length && timingSafeEqual(a, b);
}
