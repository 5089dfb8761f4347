import type { PolicyDocument } from './policy-schema.js';
import type { Tier } from './reasons.js';

/** Where listening to free speech may stop. Between the two the caller is listened to further. */
export interface SequentialBounds {
  /** At this or above the voice is the enrolled one. */
  readonly acceptAtLlr: number;
  /** Below this it is another's. */
  readonly rejectBelowLlr: number;
}

/**
 * Wald's bounds of the sequential probability ratio test (Annals of Mathematical Statistics 16, 1945): accept at ln((1 − FNMR) / FMR), reject below
 * ln(FNMR / (1 − FMR)). However often one looks, a calibrated LLR of the speech so far crosses the upper bound for at most the target share of
 * other speakers (times 1 / (1 − FNMR)), and the lower for at most the target share of the enrolled ones (times 1 / (1 − FMR)). As right as the calibration is.
 * @param targetFmr, targetFnmr in (0, 0.5)
 */
export function waldBounds(targetFmr: number, targetFnmr: number): SequentialBounds {
  return {
    acceptAtLlr: Math.log((1 - targetFnmr) / targetFmr),
    rejectBelowLlr: Math.log(targetFnmr / (1 - targetFmr)),
  };
}

/** A tier's bounds for free speech: Wald's, and never looser than what the tier asks of a voice that answers a challenge. */
export function passiveBounds({ passive, tiers }: PolicyDocument, tier: Tier): SequentialBounds {
  const wald = waldBounds(passive.targetFmr[tier], passive.targetFnmr);
  const asked = tier === 'high' ? tiers.high.minFusedLlr : tiers[tier].minVoiceLlr;
  return {
    acceptAtLlr: Math.max(wald.acceptAtLlr, asked),
    rejectBelowLlr: Math.min(wald.rejectBelowLlr, tiers.rejectBelowLlr),
  };
}

/** What is known of a call's free speech at one moment. */
export interface SequentialLook {
  /** Calibrated natural LLR of all speech so far; null when it cannot be compared. */
  readonly llr: number | null;
  readonly netSpeechSeconds: number;
  readonly totalSeconds: number;
  /** The speech so far may be judged: enough of it, good enough, one voice. */
  readonly usable: boolean;
}

/** `accept`, `reject`: sure enough to stop. `stop`: as much was heard as the policy allows. */
export type SequentialStep = 'accept' | 'reject' | 'stop' | 'go_on';

/** Whether to go on listening. A number that is none is never sure. */
export function nextStep(look: SequentialLook, policy: PolicyDocument, tier: Tier): SequentialStep {
  const { acceptAtLlr, rejectBelowLlr } = passiveBounds(policy, tier);
  if (look.usable && look.llr !== null) {
    if (look.llr >= acceptAtLlr) return 'accept';
    if (look.llr < rejectBelowLlr) return 'reject';
  }
  const { maxNetSpeechSeconds, maxSeconds } = policy.passive;
  return look.netSpeechSeconds < maxNetSpeechSeconds && look.totalSeconds < maxSeconds ? 'go_on' : 'stop';
}
