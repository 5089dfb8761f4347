import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { VoicegateError } from '../errors.js';
import type { AudioInput } from '../service/listen.js';
import { closed } from './schemas.js';

const channelMeaning = 'Channel the caller is on in a recording of several: 0 or 1';
const channel = Type.Integer({ minimum: 0, maximum: 1, description: channelMeaning });

/** Audio inside a JSON body. */
export const jsonAudio = closed({
  content: Type.String({ minLength: 1, description: 'Base64' }),
  contentType: Type.Optional(Type.String({ maxLength: 100, description: 'e.g. audio/wav, audio/PCMU' })),
  channel: Type.Optional(channel),
});

/** A file part, as `readForm` leaves it in the body. */
export const filePart = Type.Unsafe<{ content: Buffer; contentType: string }>({
  type: 'object',
  description: 'The recording',
  properties: { content: {}, contentType: {} },
});

/** How the API page shows a recording: as bytes. */
export const binary = { type: 'string', format: 'binary', description: 'The recording' } as const;

/** The channel in a form, where everything is text. */
export const formChannel = Type.String({ pattern: '^[01]$', description: channelMeaning });

/** Whether a part of a form is a file: VoiceXML browsers send recordings with a media type and at times without a file name. */
export const isRecording = (_name: unknown, contentType: string | undefined, fileName: string | undefined): boolean =>
  fileName !== undefined || /^(audio\/|application\/octet-stream)/i.test(contentType ?? '');

/**
 * Reads a multipart form into an object: fields as text, files with their bytes and type, kept in memory.
 * @throws VoicegateError `invalid_request` for a form that cannot be read or names a part twice; Fastify's errors for one over the limits
 */
export async function readForm(request: FastifyRequest): Promise<Record<string, unknown>> {
  const parts = new Map<string, unknown>();
  try {
    for await (const part of request.parts()) {
      if (parts.has(part.fieldname)) {
        throw new VoicegateError('invalid_request', `The form has two parts named ${JSON.stringify(part.fieldname)}`, {
          hint: 'Send each part once',
        });
      }
      const value =
        part.type === 'file' ? { content: await part.toBuffer(), contentType: part.mimetype } : String(part.value);
      parts.set(part.fieldname, value);
    }
  } catch (cause) {
    const { code } = cause as { readonly code?: string };
    if (cause instanceof VoicegateError || code?.startsWith('FST_') === true) throw cause;
    throw new VoicegateError('invalid_request', 'The form could not be read', {
      hint: 'Send well-formed multipart/form-data with a boundary, each part ended',
      cause,
    });
  }
  return Object.fromEntries(parts);
}

/** @throws VoicegateError `invalid_request` when the content is not base64 */
export function fromJson(audio: Static<typeof jsonAudio>): AudioInput {
  if (!isBase64(audio.content)) {
    throw new VoicegateError('invalid_request', 'audio.content is not base64', {
      hint: 'Encode the bytes of the recording with standard base64, or send multipart/form-data',
    });
  }
  return {
    bytes: Buffer.from(audio.content, 'base64'),
    contentType: audio.contentType ?? null,
    channel: audio.channel === undefined ? null : channelOf(String(audio.channel)),
  };
}

/** White space is allowed. Looks at each character once: a pattern with padding between two runs of white space takes quadratic time. */
function isBase64(content: string): boolean {
  const padding = content.indexOf('=');
  return !/[^A-Za-z0-9+/=\s]/.test(content) && (padding === -1 || !/[^=\s]/.test(content.slice(padding)));
}

/** @throws VoicegateError `audio_missing` when the form has no file named audio, or several */
export function fromForm(part: unknown, formChannelValue: string | undefined): AudioInput {
  const file = part as { content?: unknown; contentType?: unknown } | undefined;
  if (!Buffer.isBuffer(file?.content)) {
    throw new VoicegateError('audio_missing', 'The form has no single file part named audio', {
      hint: 'curl: -F audio=@recording.wav',
    });
  }
  return {
    bytes: file.content,
    contentType: typeof file.contentType === 'string' ? file.contentType : null,
    channel: formChannelValue === undefined ? null : channelOf(formChannelValue),
  };
}

/** Audio as the whole body, its type in the header and its channel in the query. */
export function fromRaw(body: unknown, contentType: string | undefined, queryChannel: string | undefined): AudioInput {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new VoicegateError('audio_missing', 'The body is empty', { hint: 'curl: --data-binary @recording.wav' });
  }
  return {
    bytes: body,
    contentType: contentType ?? null,
    channel: queryChannel === undefined ? null : channelOf(queryChannel),
  };
}

const channelOf = (value: string): 0 | 1 => (value === '1' ? 1 : 0);
