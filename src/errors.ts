/**
 * The closed list of things that can go wrong in a way a caller of Voicegate can act on.
 * Each code is stable and documented in the README's error table; the HTTP status is given only in http/problem.ts.
 */
export const errorCodes = [
  // the request
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'idempotency_mismatch',
  'rate_limited',
  // audio
  'audio_missing',
  'audio_too_large',
  'audio_too_long',
  'audio_empty',
  'audio_not_recognised',
  'audio_corrupt',
  'audio_format_unsupported',
  'audio_decoder_missing',
  'audio_decode_timeout',
  'audio_channel_invalid',
  'audio_rate_unsupported',
  // accounts, consent, PIN, enrolment
  'account_unknown',
  'consent_missing',
  'opted_out',
  'pin_invalid',
  'pin_too_simple',
  'proof_required',
  'proof_refused',
  'locked',
  'enrolment_unknown',
  'enrolment_closed',
  'enrolment_incomplete',
  'enrolment_inconsistent',
  'agent_voiceprint_missing',
  'enrolment_under_review',
  'challenge_unknown',
  'verification_unknown',
  'outcome_not_open',
  // live calls
  'stream_unknown',
  'stream_address_refused',
  // policy and audit
  'policy_invalid',
  'policy_unknown',
  'audit_broken',
  // models, load, storage
  'model_invalid',
  'model_mismatch',
  'download_failed',
  'inference_failed',
  'busy',
  'database_unavailable',
  'database_newer',
  'shutting_down',
  'configuration_invalid',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface VoicegateErrorOptions {
  /** What would be right, in one sentence for the person who reads the answer. */
  readonly hint?: string;
  /** Machine-readable facts (limits, positions). Never samples, vectors, PINs, phrases or names. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  /** For `busy`, `rate_limited`, `locked`: when a new try makes sense, seconds. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** The one error class thrown on purpose. Anything else that reaches the edge is a defect and answered as 500 without detail. */
export class VoicegateError extends Error {
  override readonly name = 'VoicegateError';
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean | null>> | undefined;
  readonly retryAfterSeconds: number | undefined;

  /**
   * @param code one of the closed list
   * @param message what was wrong, naming the field, value or limit
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    options: VoicegateErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
