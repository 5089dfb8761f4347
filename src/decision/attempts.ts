import { noAttempts, type AttemptState } from './attempt-state.js';
import type { PinEvidence } from './evidence.js';
import type { AttemptPolicy } from './policy-schema.js';
import type { Decision, Reason } from './reasons.js';

/** Whether an account may try now; `retryAt` null means that only an operator's unlock opens it again. */
export type Gate = { readonly open: true } | { readonly open: false; readonly retryAt: Date | null };

/** Looks at the counters before anything is evaluated. */
export function gate(state: AttemptState, now: Date): Gate {
  if (state.disabled) return { open: false, retryAt: null };
  if (state.lockedUntil !== null && state.lockedUntil > now) return { open: false, retryAt: state.lockedUntil };
  return { open: true };
}

const counted: ReadonlySet<Reason> = new Set(['VOICE_MISMATCH', 'PIN_FAILED', 'WRONG_TEXT']);

/**
 * Whether a decision counts against the account, its line and its key: a REJECT because of voice, PIN or text. LOCKED, VELOCITY,
 * a used challenge, low quality and CONTINUE do not count.
 */
export function isCountedFailure(decision: Decision): boolean {
  return decision.kind === 'REJECT' && decision.reasons.some((reason) => counted.has(reason));
}

/**
 * The counters after a decision. One failure per decision, however many factors failed. An ACCEPT clears them; without a right
 * PIN it leaves the wrong PINs counted, or a caller who passes by voice and phrase could buy endless guesses at the PIN.
 * @param pin what the decision's evidence said of the PIN
 */
export function afterDecision(
  state: AttemptState,
  decision: Decision,
  pin: PinEvidence,
  ladder: AttemptPolicy,
  now: Date,
): AttemptState {
  if (decision.kind === 'ACCEPT') {
    return pin === 'right' ? noAttempts : { ...noAttempts, failures: state.wrongPins, wrongPins: state.wrongPins };
  }
  return isCountedFailure(decision) ? afterFailure(state, decision.reasons.includes('PIN_FAILED'), ladder, now) : state;
}

/** The counters after a wrong PIN that was given as a proof outside verifications (new voiceprint, new PIN). */
export function afterWrongPin(state: AttemptState, ladder: AttemptPolicy, now: Date): AttemptState {
  return afterFailure(state, true, ladder, now);
}

function afterFailure(before: AttemptState, wrongPin: boolean, ladder: AttemptPolicy, now: Date): AttemptState {
  const served = before.lockedUntil !== null && before.lockedUntil <= now;
  // The operator ladder starts anew after its lock; the waits ladder remembers, so that its waits grow.
  const state = ladder.kind === 'operator' && served && !before.disabled ? noAttempts : before;
  const failures = state.failures + 1;
  const wrongPins = state.wrongPins + (wrongPin ? 1 : 0);
  const counts = { ...state, failures, wrongPins };
  const lockedFor = (seconds: number): AttemptState => ({
    ...counts,
    lockedUntil: new Date(now.getTime() + seconds * 1000),
  });
  switch (ladder.kind) {
    case 'waits': {
      if (failures >= ladder.disableAtFailures) return { ...counts, disabled: true };
      if (failures < ladder.failuresBeforeWait) return counts;
      const grown = ladder.firstWaitSeconds * ladder.waitGrowth ** (failures - ladder.failuresBeforeWait);
      return lockedFor(Math.min(ladder.maxWaitSeconds, grown));
    }
    case 'operator':
      return wrongPins >= ladder.wrongPins || failures >= ladder.failures ? lockedFor(ladder.lockHours * 3600) : counts;
  }
}
