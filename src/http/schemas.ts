import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { policyDocument } from '../decision/policy.js';
import { decisions, reasons, tiers } from '../decision/reasons.js';
import { enrolmentHints } from '../service/enrolment-hints.js';
import { roles, type Role } from '../service/ports.js';

/** An object that refuses fields it does not know. */
export const closed = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

/** Free text without control characters (PostgreSQL cannot hold U+0000, and logs should not). */
export const text = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]+$', description });

/** A time; the service hands out Date, the wire carries ISO 8601 in UTC. */
export const time = (description: string) => Type.Unsafe<Date>(Type.String({ format: 'date-time', description }));

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** A list that the service may hand out as read-only. */
export const list = <T extends TSchema>(schema: T) => Type.Unsafe<readonly Static<T>[]>(Type.Array(schema));

export const oneOf = <const T extends readonly string[]>(values: T, description: string) =>
  Type.Unsafe<T[number]>(Type.String({ enum: [...values], description }));

export const accountId = Type.String({
  pattern: '^[A-Za-z0-9._~:@+-]{1,128}$',
  description: 'The operator’s own opaque id: 1 to 128 of A-Z a-z 0-9 . _ ~ : @ + -',
});

const idOf = (prefix: string, what: string) => Type.String({ pattern: `^${prefix}_[0-9a-f]{32}$`, description: what });
export const enrolmentId = idOf('enr', 'Enrolment id');
export const challengeId = idOf('chl', 'Challenge id');
export const verificationId = idOf('ver', 'Verification id');
export const streamId = idOf('str', 'Stream id');
export const findingId = idOf('dup', 'Finding id');

export const language = oneOf(['zh', 'en'] as const, 'Language of the prompts');
export const tier = oneOf(tiers, 'Risk tier: low (balance), standard (change of plan), high (transfer, new PIN)');
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

export const quality = closed({
  totalSeconds: Type.Number(),
  netSpeechSeconds: Type.Number({ description: 'Seconds of speech without pauses' }),
  snrDb: nullable(Type.Number({ description: 'Speech over pauses; null when there is no pause to measure' })),
  clippingShare: Type.Number({ description: '0 to 1' }),
  speechLevelDbfs: Type.Number(),
  bandwidthHz: Type.Number(),
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

export const progress = closed({
  utterances: Type.Integer(),
  utterancesNeeded: Type.Integer(),
  netSpeechSeconds: Type.Number(),
  netSpeechSecondsNeeded: Type.Number(),
  complete: Type.Boolean({ description: 'Enough to complete' }),
});

export const hint = oneOf(enrolmentHints, 'What to do next');

export const enrolment = closed({
  enrolmentId,
  accountId,
  state: oneOf(['open', 'completed', 'cancelled', 'superseded', 'undone'] as const, ''),
  expiresAt: time(''),
  prompts: list(closed({ digits: Type.String(), text: Type.String() })),
  progress,
});

export const reason = oneOf(reasons, 'Closed list, see the README');

export const challenge = closed({
  challengeId,
  digits: Type.String({ description: 'To be spoken by the caller' }),
  prompt: Type.String({ description: 'To be read to the caller' }),
  language,
  expiresAt: time('A challenge is good once, until then'),
});

/** The answer to a verification. An opaque key gets verificationId, decision and nextChallenge only. */
export const verification = Type.Object({
  verificationId,
  decision: oneOf(decisions, 'What the IVR does next'),
  nextChallenge: nullable(challenge),
  reasons: Type.Optional(list(reason)),
  tier: Type.Optional(tier),
  accountId: Type.Optional(nullable(Type.String())),
  evidence: Type.Optional(
    Type.Unsafe<object>({ type: 'object', additionalProperties: true, description: 'What each factor found' }),
  ),
  policyVersion: Type.Optional(Type.Integer()),
  modelId: Type.Optional(Type.String()),
  timingsMs: Type.Optional(Type.Record(Type.String(), Type.Number())),
  createdAt: Type.Optional(time('')),
  outcome: Type.Optional(
    nullable(
      closed({
        factor: nullable(Type.String()),
        passed: nullable(Type.Boolean()),
        label: nullable(oneOf(['genuine', 'fraud'] as const, '')),
        recordedAt: time(''),
      }),
    ),
  ),
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
