import type { PolicyDocument } from './policy-schema.js';

/** Counted failures of one line or key within the policy's window. */
export interface VelocityFindings {
  readonly distinctAccounts: number;
  readonly failures: number;
}

/**
 * Whether a caller's line or an API key has failed too often lately: one PIN tried on many accounts shows here and nowhere else.
 * @param subject whose counts they are; a key is an operator's whole IVR, so its limits are of another size than a line's
 * @returns true when the limit is reached, so that the next attempt is answered VELOCITY without being evaluated
 */
export function isTooFast(
  subject: 'line' | 'key',
  { distinctAccounts, failures }: VelocityFindings,
  limits: PolicyDocument['velocity'],
): boolean {
  const [maxAccounts, maxFailures] =
    subject === 'line'
      ? [limits.maxDistinctAccountsPerLine, limits.maxFailuresPerLine]
      : [limits.maxDistinctAccountsPerKey, limits.maxFailuresPerKey];
  return (maxAccounts !== null && distinctAccounts >= maxAccounts) || (maxFailures !== null && failures >= maxFailures);
}

/** Start of the window that is counted at `now`. */
export function velocityWindowStart(now: Date, limits: PolicyDocument['velocity']): Date {
  return new Date(now.getTime() - limits.windowSeconds * 1000);
}
