import Type, { type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { errorCodes } from '../errors.js';
import { streamModes } from '../service/ports.js';
import {
  closed,
  hint,
  list,
  nullable,
  oneOf,
  progress,
  quality,
  reason,
  streamId,
  verification,
} from '../service/view-schemas.js';

const encoding = oneOf(
  ['l16-le', 'l16-be', 'mulaw', 'alaw'] as const,
  '16-bit linear with the low byte first, as media servers send it, or the high byte first (RFC 3551); G.711',
);
const channel = oneOf(
  ['customer', 'agent', 'mixed', 'unused'] as const,
  'Whose voice it is. mixed: customer and agent in one. unused: thrown away',
);

/** What a client says in text frames. Written once: the door checks by it, the AsyncAPI page shows it. */
export const clientMessages = {
  hello: closed({
    type: Type.Literal('hello'),
    token: Type.Optional(
      Type.String({ maxLength: 100, description: 'From POST /v1/streams, unless the address or a header has it' }),
    ),
    resume: Type.Optional(
      Type.String({ maxLength: 100, description: 'Resume token of a broken connection, in place of the token' }),
    ),
    encoding,
    sampleRateHz: Type.Integer({ minimum: 4000, maximum: 192_000 }),
    channels: Type.Array(channel, {
      minItems: 1,
      maxItems: 2,
      description: 'Of the interleaved binary frames, in their order',
    }),
  }),
  gap: closed({
    type: Type.Literal('gap'),
    seconds: Type.Number({ minimum: 0, maximum: 60, description: 'More than 5 count as 5' }),
  }),
  dtmf: closed({ type: Type.Literal('dtmf'), digit: Type.String({ pattern: '^[0-9A-D*#]$' }) }),
  pause: closed({ type: Type.Literal('pause') }),
  resume: closed({ type: Type.Literal('resume') }),
  end: closed({ type: Type.Literal('end') }),
} as const;

export type ClientMessage = {
  [K in keyof typeof clientMessages]: Static<(typeof clientMessages)[K]>;
}[keyof typeof clientMessages];

const seconds = (description: string) => Type.Number({ minimum: 0, description });
/** An opaque key gets the seconds alone. */
const voiceSoFar = closed({
  netSpeechSeconds: seconds('Speech without pauses'),
  llr: Type.Optional(
    nullable(Type.Number({ description: 'Calibrated natural log-likelihood ratio; null: nothing to compare' })),
  ),
  decision: Type.Optional(oneOf(['accepted', 'rejected', 'undecided'] as const, 'What this speech alone comes to')),
});

/** What the service says, always in text frames: what a door sends is tested against these. */
export const serverMessages = {
  hello: closed({
    type: Type.Literal('hello'),
    streamId,
    resumeToken: Type.String({ format: 'uuid', description: 'Goes on with the call after a broken connection' }),
    mode: oneOf(streamModes, 'What the call was registered for'),
    takenSeconds: seconds('Audio taken so far: where a client that comes back goes on'),
  }),
  progress: closed({
    type: Type.Literal('progress'),
    netSpeechSeconds: seconds('Speech without pauses; in an enrolment of the utterance that goes on'),
    totalSeconds: seconds('Of the call'),
    enrolment: Type.Optional(closed({ kept: progress, quality, hint })),
  }),
  interim: closed({
    type: Type.Literal('interim'),
    incremental: voiceSoFar,
    cumulative: voiceSoFar,
    quality: Type.Optional(quality),
  }),
  verdict: Type.Object({ type: Type.Literal('verdict'), ...verification.properties }, { additionalProperties: false }),
  utterance: closed({
    type: Type.Literal('utterance'),
    accepted: Type.Boolean(),
    reasons: list(reason),
    quality,
    progress,
    hint,
  }),
  enrolled: closed({ type: Type.Literal('enrolled'), voiceprintId: Type.String() }),
  error: closed({
    type: Type.Literal('error'),
    code: oneOf([...errorCodes, 'internal'] as const, 'Stable, see the README’s table; internal: a fault of ours'),
    title: Type.String({ description: 'What was wrong' }),
    hint: nullable(Type.String({ description: 'What would be right' })),
  }),
  closed: closed({
    type: Type.Literal('closed'),
    reason: oneOf(
      ['completed', 'ended', 'lost', 'replaced', 'failed', 'shutting_down'] as const,
      'completed: with a verdict or print; ended: an enrolment without one; lost: the connection broke; replaced: another connection goes on with the call; the others are INCONCLUSIVE',
    ),
  }),
} as const satisfies Record<string, TSchema>;

/** A text frame as the message it is; null when it is none of the protocol. */
export function readClientMessage(text: string): ClientMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== 'string' || !Object.hasOwn(clientMessages, type)) return null;
  return Value.Check(clientMessages[type as keyof typeof clientMessages], value) ? value : null;
}
