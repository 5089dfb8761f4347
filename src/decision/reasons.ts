/** What the IVR acts on. */
export const decisions = ['ACCEPT', 'REJECT', 'CONTINUE', 'STEP_UP', 'INCONCLUSIVE'] as const;
export type DecisionKind = (typeof decisions)[number];

/** The closed list of reasons. ACCEPT carries none. */
export const reasons = [
  'NOT_ENROLLED',
  'OPTED_OUT',
  'CONSENT_MISSING',
  'LOCKED',
  'VELOCITY',
  'WRONG_TEXT',
  'PHRASE_NOT_CHECKED',
  'CHALLENGE_EXPIRED',
  'CHALLENGE_REUSED',
  'CHALLENGE_MISMATCH',
  'LOW_QUALITY',
  'NOT_ENOUGH_SPEECH',
  'MULTIPLE_SPEAKERS',
  'AGENT_HEARD',
  'VOICE_MISMATCH',
  'VOICE_UNSURE',
  'PIN_FAILED',
  'PIN_MISSING',
  'NEW_VOICEPRINT',
  'MODEL_MISMATCH',
  'NOT_IDENTIFIED',
  'SERVICE_RESTARTED',
] as const;
export type Reason = (typeof reasons)[number];

/** Risk tiers: balance or bill; change of plan; transfer or new PIN. */
export const tiers = ['low', 'standard', 'high'] as const;
export type Tier = (typeof tiers)[number];

/** What `decide` answers. */
export interface Decision {
  readonly kind: DecisionKind;
  /** In order of weight, the first is the one that led to the decision. Empty for ACCEPT. */
  readonly reasons: readonly Reason[];
}
