import { VoicegateError } from '../errors.js';

/** Audio without a header, as its media type describes it. */
export interface RawFormat {
  readonly encoding: 'mulaw' | 'alaw' | 'l16';
  readonly sampleRateHz: number;
  readonly channels: number;
}

/**
 * RFC 2046 audio/basic, RFC 4856 PCMU and PCMA, RFC 2586 and 3551 L16; the x- names are those that VoiceXML platforms
 * (VoiceXML 2.0 appendix E: audio/x-alaw-basic) and media streams (audio/x-mulaw) use for the same bytes.
 */
const rawTypes: Readonly<Record<string, RawFormat['encoding']>> = {
  'audio/basic': 'mulaw',
  'audio/pcmu': 'mulaw',
  'audio/x-mulaw': 'mulaw',
  'audio/pcma': 'alaw',
  'audio/x-alaw': 'alaw',
  'audio/x-alaw-basic': 'alaw',
  'audio/l16': 'l16',
};

const G711_RATE_HZ = 8000;

/**
 * What a Content-Type says about headerless audio.
 *
 * @param contentType as received, in any case, with parameters; absent when the sender gave none
 * @returns undefined for every type that is not a headerless one: those are told by their bytes
 * @throws VoicegateError audio_rate_unsupported, audio_channel_invalid: a parameter that is no positive whole number, or L16 without rate
 */
export function rawFormatOf(contentType: string | undefined): RawFormat | undefined {
  const [essence = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const type = essence.trim();
  const encoding = Object.hasOwn(rawTypes, type) ? rawTypes[type] : undefined;
  if (encoding === undefined) return undefined;

  const rate = numberOf('rate', parameters) ?? (encoding === 'l16' ? undefined : G711_RATE_HZ);
  if (rate === undefined || Number.isNaN(rate)) {
    throw new VoicegateError('audio_rate_unsupported', `The content type ${type} has no usable rate parameter.`, {
      hint: 'Say how many samples a second there are, as in audio/L16;rate=8000.',
    });
  }
  const channels = numberOf('channels', parameters) ?? 1;
  if (Number.isNaN(channels)) {
    throw new VoicegateError(
      'audio_channel_invalid',
      `The channels parameter of the content type ${type} is not a number.`,
      {
        hint: 'Leave it out for mono, or write channels=1 or channels=2.',
      },
    );
  }
  return { encoding, sampleRateHz: rate, channels };
}

/** A parameter's positive whole number; NaN where it is there and is none. */
function numberOf(name: string, parameters: readonly string[]): number | undefined {
  for (const parameter of parameters) {
    const [key, value = ''] = parameter.split('=', 2);
    if (key?.trim() !== name) continue;
    const digits = value.trim().replace(/^"(.*)"$/, '$1');
    return /^[1-9]\d{0,6}$/.test(digits) ? Number(digits) : NaN;
  }
  return undefined;
}
