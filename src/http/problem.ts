import type { FastifyError } from 'fastify';
import { VoicegateError, type ErrorCode } from '../errors.js';

/** The HTTP status of each error code: the one place where codes meet statuses. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  idempotency_mismatch: 422,
  rate_limited: 429,
  audio_missing: 400,
  audio_too_large: 413,
  audio_too_long: 413,
  audio_empty: 422,
  audio_not_recognised: 415,
  audio_corrupt: 422,
  audio_format_unsupported: 415,
  audio_decoder_missing: 415,
  audio_decode_timeout: 422,
  audio_channel_invalid: 422,
  audio_rate_unsupported: 422,
  account_unknown: 404,
  consent_missing: 409,
  opted_out: 409,
  pin_invalid: 422,
  pin_too_simple: 422,
  proof_required: 403,
  proof_refused: 403,
  locked: 423,
  enrolment_unknown: 404,
  enrolment_closed: 409,
  enrolment_incomplete: 409,
  enrolment_inconsistent: 409,
  agent_voiceprint_missing: 409,
  enrolment_under_review: 409,
  challenge_unknown: 404,
  verification_unknown: 404,
  outcome_not_open: 409,
  stream_unknown: 404,
  stream_address_refused: 422,
  policy_invalid: 422,
  policy_unknown: 404,
  audit_broken: 500,
  model_invalid: 500,
  model_mismatch: 409,
  download_failed: 500,
  inference_failed: 500,
  busy: 503,
  database_unavailable: 503,
  database_newer: 503,
  shutting_down: 503,
  configuration_invalid: 500,
};

/** A problem as RFC 9457 has it, with our code, hint and details beside. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode | 'internal';
  readonly hint?: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  readonly retryAfterSeconds?: number;
}

/**
 * Turns whatever was thrown into a problem. What is not ours and not Fastify's judgement of the request is a defect of ours: 500 with no
 * detail.
 */
export function toProblem(fault: unknown): Problem {
  const error = fault instanceof VoicegateError ? fault : fromFastify(fault as FastifyError);
  if (error === null) {
    return { type: typeOf('internal'), title: 'Something went wrong on our side', status: 500, code: 'internal' };
  }
  return {
    type: typeOf(error.code),
    title: error.message,
    status: statuses[error.code],
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  };
}

/** The media type of every error. */
export const problemType = 'application/problem+json';

const typeOf = (code: string): string => `urn:voicegate:problem:${code}`;

function fromFastify(fault: FastifyError): VoicegateError | null {
  if (fault.validation !== undefined) {
    const [first] = fault.validation;
    const field = `${fault.validationContext ?? 'body'}${first?.instancePath ?? ''}`;
    const extra = first?.params.additionalProperty;
    const what = typeof extra === 'string' ? `has the unknown field ${JSON.stringify(extra)}` : (first?.message ?? '');
    return new VoicegateError('invalid_request', `${field} ${what}`, { details: { field } });
  }
  switch (fault.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
    case 'FST_REQ_FILE_TOO_LARGE':
      return new VoicegateError('audio_too_large', 'The request is larger than this server takes', {
        hint: 'Send less audio, or telephone quality: 8 kHz, µ-law',
      });
    case 'FST_PARTS_LIMIT':
    case 'FST_FILES_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return new VoicegateError('invalid_request', 'The form has too many parts', {
        hint: 'Send the fields of the API page and one file named audio',
      });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new VoicegateError('audio_format_unsupported', 'This Content-Type is not taken here', {
        hint: 'Send application/json, or multipart/form-data with a part named audio where audio is asked for',
      });
    case 'FST_ERR_BAD_URL':
      return new VoicegateError('invalid_request', 'The address is not a well-formed URL', {
        hint: 'Percent-encode ids as UTF-8',
      });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new VoicegateError('invalid_request', 'The body is empty', { hint: 'Send a JSON object' });
    default: {
      const status = fault.statusCode ?? 500;
      if (status === 404)
        return new VoicegateError('not_found', 'There is nothing at this address', { hint: 'See /docs' });
      if (status === 429) return new VoicegateError('rate_limited', 'Too many requests with this key');
      return status >= 400 && status < 500
        ? new VoicegateError('invalid_request', 'The request could not be read', {
            hint: 'Send well-formed JSON or multipart/form-data',
            cause: fault,
          })
        : null;
    }
  }
}
