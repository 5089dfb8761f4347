import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { decisions, reasons, tiers } from '../decision/reasons.js';
import { enrolmentHints } from './enrolment-hints.js';

// What callers are shown, written once: HTTP answers and messages of calls are checked and documented by these.

/** An object that refuses fields it does not know. */
export const closed = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

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

export const quality = closed({
  totalSeconds: Type.Number(),
  netSpeechSeconds: Type.Number({ description: 'Seconds of speech without pauses' }),
  snrDb: nullable(Type.Number({ description: 'Speech over pauses; null when there is no pause to measure' })),
  clippingShare: Type.Number({ description: '0 to 1' }),
  speechLevelDbfs: Type.Number(),
  bandwidthHz: Type.Number(),
});

export const progress = closed({
  utterances: Type.Integer(),
  utterancesNeeded: Type.Integer(),
  netSpeechSeconds: Type.Number(),
  netSpeechSecondsNeeded: Type.Number(),
  complete: Type.Boolean({ description: 'Enough to complete' }),
});

export const hint = oneOf(enrolmentHints, 'What to do next');

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
