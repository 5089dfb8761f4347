/** What the database keeps per account for the attempt ladder. */
export interface AttemptState {
  /** Consecutive counted failures (VOICE_MISMATCH, PIN_FAILED, WRONG_TEXT) since the last ACCEPT or unlock. */
  readonly failures: number;
  /** Those among them that were wrong PINs. */
  readonly wrongPins: number;
  readonly lockedUntil: Date | null;
  /** Closed until an operator unlocks it. */
  readonly disabled: boolean;
}

/** A fresh counter. */
export const noAttempts: AttemptState = { failures: 0, wrongPins: 0, lockedUntil: null, disabled: false };
