import Type, { type Static, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { VoicegateError } from '../errors.js';
import type { MediaPacket } from './media-order.js';
import type { MediaFormat } from './session-io.js';

/** A side of the call as Twilio and Telnyx name it: `inbound` is what they receive from the party of the call. */
export type Track = 'inbound' | 'outbound';

/** What Twilio Media Streams and its likes say. `other`: something that has no meaning here. */
export type StreamMessage =
  | {
      readonly event: 'start';
      readonly format: Pick<MediaFormat, 'encoding' | 'sampleRateHz'>;
      /** The tracks that will come; null: not told. */
      readonly tracks: readonly Track[] | null;
      readonly parameters: StreamParameters;
    }
  | { readonly event: 'media'; readonly track: Track; readonly packet: MediaPacket }
  | { readonly event: 'dtmf'; readonly digit: string }
  | { readonly event: 'stop' }
  | { readonly event: 'other' };

const orNull = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
const oneOf = <T extends string>(...names: readonly T[]) => Type.Union(names.map((name) => Type.Literal(name)));
/** Twilio writes numbers as strings. */
const count = Type.Union([Type.Integer({ minimum: 0, maximum: 1e15 }), Type.String({ pattern: '^[0-9]{1,15}$' })]);

/** What an operator may tell with the stream; others are the operator's own. */
const parameters = Type.Object({
  token: Type.Optional(Type.String({ maxLength: 100 })),
  customerTrack: Type.Optional(oneOf('inbound', 'outbound')),
  byteOrder: Type.Optional(oneOf('big', 'little')),
});
export type StreamParameters = Static<typeof parameters>;

const twilioFormat = Type.Object({ encoding: Type.String(), sampleRate: count, channels: Type.Optional(count) });
const telnyxFormat = Type.Object({ encoding: Type.String(), sample_rate: count, channels: Type.Optional(count) });

const start = Type.Object({
  start: Type.Object({
    tracks: orNull(Type.Array(oneOf('inbound', 'outbound'), { maxItems: 2 })),
    mediaFormat: orNull(twilioFormat),
    media_format: orNull(telnyxFormat),
    customParameters: orNull(parameters),
    custom_parameters: orNull(parameters),
  }),
});
const media = Type.Object({
  sequenceNumber: orNull(count),
  sequence_number: orNull(count),
  media: Type.Object({
    track: orNull(oneOf('inbound', 'outbound')),
    chunk: orNull(count),
    timestamp: orNull(count),
    // A second of the fattest audio; packets of 20 ms are usual.
    payload: Type.String({ maxLength: 1 << 17, pattern: '^[A-Za-z0-9+/]*={0,2}$' }),
  }),
});
const dtmf = Type.Object({ dtmf: Type.Object({ digit: Type.String({ pattern: '^[0-9A-Da-d*#]$' }) }) });

/** A schema made ready, which checks sixty times as fast: of each track fifty messages a second come. */
type Reader<T extends TSchema> = Validator<Record<never, never>, T>;
/** Twilio's names and Telnyx's. Protocols grow: what is not named here is let through unread. */
const readers = {
  start: Compile(start),
  media: Compile(media),
  dtmf: Compile(dtmf),
  parameters: Compile(parameters),
} as const;

/**
 * Reads a text frame.
 * @param query parameters of the address, for those who cannot send their own with the stream; the stream's count more
 * @throws VoicegateError `invalid_request` naming the place that is malformed, `audio_format_unsupported`, `audio_rate_unsupported`,
 *   `audio_channel_invalid`
 */
export function readStreamMessage(text: string, query: URLSearchParams): StreamMessage {
  const value = parsed(text);
  const event = (value as { event?: unknown } | null)?.event;
  if (typeof event !== 'string') throw malformed('a message has no event');
  switch (event) {
    case 'start': {
      const { start: told } = checked(readers.start, event, value);
      const own = told.customParameters ?? told.custom_parameters ?? {};
      const known = checked(readers.parameters, 'address', { ...Object.fromEntries(query), ...given(own) });
      return {
        event,
        format: formatOf(told.mediaFormat ?? told.media_format ?? null, known),
        tracks: told.tracks ?? null,
        parameters: known,
      };
    }
    case 'media': {
      const message = checked(readers.media, event, value);
      const { track, chunk, timestamp, payload } = message.media;
      return {
        event,
        track: track ?? 'inbound',
        packet: {
          chunk: numberOf(chunk ?? message.sequenceNumber ?? message.sequence_number),
          timestampMs: numberOf(timestamp),
          bytes: Buffer.from(payload, 'base64'),
        },
      };
    }
    case 'dtmf':
      return { event, digit: checked(readers.dtmf, event, value).dtmf.digit.toUpperCase() };
    case 'stop':
      return { event };
    default:
      return { event: 'other' };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('a text frame is no JSON');
  }
}

function checked<T extends TSchema>(reader: Reader<T>, event: string, value: unknown): Static<T> {
  if (reader.Check(value)) return value;
  const [fault] = reader.Errors(value);
  throw malformed(`${event}: ${fault?.instancePath ?? ''} ${fault?.message ?? 'is malformed'}`);
}

/** Those that are named here; whatever else an operator sends along is not looked at. */
const given = ({ token, customerTrack, byteOrder }: StreamParameters): StreamParameters => ({
  ...(token === undefined ? {} : { token }),
  ...(customerTrack === undefined ? {} : { customerTrack }),
  ...(byteOrder === undefined ? {} : { byteOrder }),
});

function formatOf(
  told: Static<typeof twilioFormat> | Static<typeof telnyxFormat> | null,
  { byteOrder }: StreamParameters,
): Pick<MediaFormat, 'encoding' | 'sampleRateHz'> {
  // Twilio has never sent anything else.
  if (told === null) return { encoding: 'mulaw', sampleRateHz: 8000 };
  if ((numberOf(told.channels) ?? 1) !== 1) {
    throw new VoicegateError('audio_channel_invalid', 'A track of several channels', {
      hint: 'Each track is mono; the two sides of a call are two tracks',
    });
  }
  const sampleRateHz = numberOf('sampleRate' in told ? told.sampleRate : told.sample_rate) ?? 8000;
  if (sampleRateHz < 4000 || sampleRateHz > 192_000) {
    throw new VoicegateError('audio_rate_unsupported', `A stream of ${sampleRateHz} Hz`, {
      hint: 'Rates are 4000 to 192000 Hz',
    });
  }
  switch (told.encoding.toLowerCase().replace(/^audio\/(x-)?/, '')) {
    case 'mulaw':
    case 'pcmu':
      return { encoding: 'mulaw', sampleRateHz };
    case 'alaw':
    case 'pcma':
      return { encoding: 'alaw', sampleRateHz };
    case 'l16':
      // RFC 3551 says network order, and so do most who have looked; some saw the other.
      return { encoding: byteOrder === 'little' ? 'l16-le' : 'l16-be', sampleRateHz };
    default:
      throw new VoicegateError('audio_format_unsupported', 'The stream’s encoding is not one that is understood', {
        hint: 'µ-law (PCMU), A-law (PCMA) or L16; with Telnyx set stream_codec',
      });
  }
}

const numberOf = (value: number | string | null | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);

const malformed = (title: string): VoicegateError => new VoicegateError('invalid_request', title);
