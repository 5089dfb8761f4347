import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Channel, MediaFormat } from './session-io.js';

/** What a connection probe gives in place of a conversation. */
export const nullUuid = '00000000-0000-0000-0000-000000000000';

const uuid = Type.String({ pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' });
const sequence = Type.Integer({ minimum: 0, maximum: 2 ** 31 });
const duration = Type.String({ pattern: '^PT([0-9]{1,9}[.])?[0-9]{1,9}S$' });
const text = Type.String({ maxLength: 2000 });

/** One way of sending audio that Genesys offers. Others than we know may be among them. */
const media = Type.Object({
  type: text,
  format: text,
  channels: Type.Array(text, { maxItems: 8 }),
  rate: Type.Number(),
});
export type OfferedMedia = Static<typeof media>;

const parameters = {
  open: Type.Object({
    organizationId: uuid,
    conversationId: uuid,
    media: Type.Array(media, { maxItems: 50 }),
    supportedLanguages: Type.Optional(Type.Boolean()),
    continuedSessions: Type.Optional(Type.Array(Type.Object({ id: uuid }), { maxItems: 20 })),
  }),
  close: Type.Object({ reason: text }),
  discarded: Type.Object({ start: duration, discarded: duration }),
  error: Type.Object({ code: Type.Integer() }),
  paused: Type.Object({}),
  resumed: Type.Object({}),
  ping: Type.Object({}),
  update: Type.Object({}),
} as const;

const envelope = Type.Object({
  version: Type.Literal('2'),
  id: uuid,
  type: text,
  seq: sequence,
  serverseq: sequence,
  position: duration,
  parameters: Type.Object({}),
});

/** What Genesys says. The protocol has grown and will: a type that we do not know is `unknown`. */
export type ClientMessage = Readonly<Pick<Static<typeof envelope>, 'id' | 'seq' | 'serverseq'>> &
  (
    | {
        [K in keyof typeof parameters]: { readonly type: K; readonly parameters: Static<(typeof parameters)[K]> };
      }[keyof typeof parameters]
    | { readonly type: 'unknown' }
  );

export type OpenParameters = Static<(typeof parameters)['open']>;

/** @returns null when the text is no message of the protocol */
export function readMessage(json: string): ClientMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  if (!Value.Check(envelope, value)) return null;
  const { id, seq, serverseq, type } = value;
  if (!Object.hasOwn(parameters, type)) return { id, seq, serverseq, type: 'unknown' };
  const known = type as keyof typeof parameters;
  return Value.Check(parameters[known], value.parameters) ? (value as unknown as ClientMessage) : null;
}

/** `PT1.5S` → 1.5 */
export const secondsOf = (duration: string): number => Number(duration.slice(2, -1));

/**
 * Picks what we hear best of what is offered: both legs before the customer's alone, PCMU (what the telephone line carries) before L16.
 * @returns null when nothing offered carries the customer in a form that we know
 */
export function pickMedia(
  offered: readonly OfferedMedia[],
): { readonly media: OfferedMedia; readonly format: MediaFormat } | null {
  for (const legs of ['external internal', 'internal external', 'external']) {
    for (const format of ['PCMU', 'L16'] as const) {
      const found = offered.find(
        (one) => one.type === 'audio' && one.format === format && one.rate === 8000 && one.channels.join(' ') === legs,
      );
      if (found === undefined) continue;
      const channels = found.channels.map((leg): Channel => (leg === 'external' ? 'customer' : 'agent'));
      // L16 is little-endian here, as Genesys' reference implementation reads it.
      return {
        media: found,
        format: { encoding: format === 'PCMU' ? 'mulaw' : 'l16-le', sampleRateHz: 8000, channels },
      };
    }
  }
  return null;
}
