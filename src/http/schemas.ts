import Type from 'typebox';
import { policyDocument } from '../decision/policy.js';
import { roles, type Role } from '../service/ports.js';
import {
  accountId,
  closed,
  enrolmentId,
  list,
  nullable,
  oneOf,
  progress,
  time,
  verificationId,
} from '../service/view-schemas.js';

export * from '../service/view-schemas.js';

/** Free text without control characters (PostgreSQL cannot hold U+0000, and logs should not). */
export const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]+$', description });

export const role = oneOf(roles, 'What the key may do');
export const answerKind = oneOf(['full', 'opaque'] as const, 'full: reasons and evidence; opaque: decision only');
export const pin = Type.String({ pattern: '^[0-9]{1,12}$', description: 'Digits; never logged' });
export const agentId = text(128, 'The operator’s own id of the agent');

/** Forms carry text only. */
export const identifiedByAgent = Type.Union([Type.Boolean(), Type.Literal('true'), Type.Literal('false')], {
  description: 'agentId has made sure who is calling; looked at where free speech is judged',
});

/** What may allow an enrolment or a new PIN; see the README's section on proofs. */
export const proofFields = {
  pin: Type.Optional(pin),
  verificationId: Type.Optional(verificationId),
  agentId: Type.Optional(agentId),
  overrideReason: Type.Optional(text(400, 'Why the agent overrides; goes to the audit')),
};

export const account = closed({
  accountId,
  createdAt: time('When the account was made here'),
  enrolled: Type.Boolean(),
  voiceprint: nullable(closed({ voiceprintId: Type.String(), modelId: Type.String(), createdAt: time('') })),
  consented: Type.Boolean(),
  optedOut: Type.Boolean(),
  pinSet: Type.Boolean(),
  lockedUntil: nullable(time('When the next attempt is judged; null: attempts are open, or disabled')),
  disabled: Type.Boolean({ description: 'Closed until unlocked' }),
});

export const consent = closed({
  consentId: Type.String(),
  accountId,
  purpose: Type.String(),
  textVersion: Type.String(),
  channel: Type.String(),
  evidenceReference: nullable(Type.String()),
  agentId: nullable(Type.String()),
  givenAt: time(''),
});

/** Whether the right digits were said. */
export const phrase = Type.Union([
  closed({ kind: Type.Literal('not_performed') }),
  closed({
    kind: Type.Literal('checked'),
    language: oneOf(['zh', 'en'] as const, ''),
    status: oneOf(['supported', 'experimental'] as const, 'experimental: counts only where the policy trusts it'),
    verdict: oneOf(['match', 'near_miss', 'wrong', 'silence'] as const, 'near_miss: all but one digit'),
    llr: Type.Number({ description: 'Calibrated natural log-likelihood ratio' }),
    differences: Type.Integer({ description: 'Digits dropped, added or changed' }),
    digitNetSpeechSeconds: Type.Number({ description: 'Seconds of speech that are digits' }),
    recogniserId: Type.String(),
  }),
]);

export const enrolment = closed({
  enrolmentId,
  accountId,
  state: oneOf(['open', 'completed', 'cancelled', 'superseded', 'undone'] as const, ''),
  expiresAt: time(''),
  prompts: list(closed({ digits: Type.String(), text: Type.String() })),
  progress,
});

export const policy = closed({
  version: Type.Integer(),
  active: Type.Boolean(),
  createdAt: time(''),
  createdBy: Type.String(),
  document: policyDocument,
});

export const apiKey = {
  keyId: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  label: text(100, 'For people'),
  roles: Type.Unsafe<readonly Role[]>(Type.Array(role, { minItems: 1, uniqueItems: true })),
  answer: answerKind,
  createdAt: time(''),
  revokedAt: nullable(time('')),
};

/** RFC 9457. */
export const problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String({ description: 'What was wrong' }),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable, see the README’s table' }),
    hint: Type.Optional(Type.String({ description: 'What would be right' })),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    retryAfterSeconds: Type.Optional(Type.Number()),
  },
  { $id: 'Problem' },
);
