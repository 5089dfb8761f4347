import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { VoicegateError } from '../../errors.js';
import { dialogueNames, endings } from '../../ivr/dialogue-state.js';
import { lineNumberOf } from '../../service/line-number.js';
import type { App, HttpOptions } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { filePart } from '../audio-body.js';
import { readUrlencoded } from '../urlencoded-body.js';
import { accountId, closed, language, oneOf, text, tier } from '../schemas.js';

/** RFC 4267. */
const vxmlType = 'application/voicexml+xml; charset=utf-8';

/** Keys as browsers hand them over, some with a space between. */
const keys = (description: string) => Type.String({ pattern: '^[0-9 ]{0,64}$', description });
/** The names of the fields that documents ask with. */
const keyFields = {
  account: Type.Optional(keys('Account number')),
  pin: Type.Optional(keys('PIN; never logged')),
  oldPin: Type.Optional(keys('Present PIN; never logged')),
  newPin: Type.Optional(keys('New PIN; never logged')),
  repeatPin: Type.Optional(keys('New PIN once more; never logged')),
  consent: Type.Optional(keys('1: agreed')),
};

/** Dialogues with callers, for VoiceXML gateways. They answer documents; errors are problems, which documents have handlers for. */
export const ivrRoutes =
  ({ ivr }: HttpOptions) =>
  (app: App): void => {
    const config = { roles: ['verifier', 'enroller'] as const, basic: true };
    const tags = ['ivr'];
    const consumes = ['application/x-www-form-urlencoded', 'multipart/form-data'];
    const document = { 200: Type.String({ description: 'A VoiceXML 2.1 document' }) };
    const params = closed({ dialogue: oneOf(dialogueNames, 'Which dialogue') });
    const line = Type.String({ maxLength: 1000, description: 'The caller’s line; kept as a keyed hash only' });
    const querystring = closed({
      language: Type.Optional(language),
      tier: Type.Optional(tier),
      ends: Type.Optional(oneOf(endings, 'return: to the document that called this as a subdialog; exit (default)')),
      callId: Type.Optional(text(128, 'The operator’s id of the call')),
    });
    const opening = closed({
      accountId: Type.Optional(accountId),
      callId: Type.Optional(text(128, 'The operator’s id of the call')),
      lineNumber: Type.Optional(line),
    });

    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, readUrlencoded);
    app.get(
      '/v1/ivr/vxml/:dialogue',
      {
        config,
        schema: {
          summary: 'The first VoiceXML document of a dialogue',
          description: 'Configure this address in the gateway, and the key as the password of basic authentication.',
          tags,
          params,
          querystring,
          produces: ['application/voicexml+xml'],
          response: document,
        },
      },
      async (request, reply) =>
        sendDocument(reply, await ivr.open(callerOf(request), openingOf(request.params.dialogue, request.query, {}))),
    );
    app.post(
      '/v1/ivr/vxml/:dialogue',
      {
        config,
        schema: {
          summary: 'The same, with what the operator knows of the call',
          description: 'accountId: who calls was identified before; the dialogue does not ask for it.',
          tags,
          consumes,
          params,
          querystring,
          body: opening,
          produces: ['application/voicexml+xml'],
          response: document,
        },
      },
      async (request, reply) =>
        sendDocument(
          reply,
          await ivr.open(callerOf(request), openingOf(request.params.dialogue, request.query, request.body)),
        ),
    );
    app.post(
      '/v1/ivr/vxml/next',
      {
        config,
        schema: {
          summary: 'What a document submits; answers the next one',
          tags,
          consumes,
          // Open: gateways add fields of their own.
          body: Type.Object({
            state: Type.String({ maxLength: 4096, pattern: '^[A-Za-z0-9_-]+$' }),
            ...keyFields,
            line: Type.Optional(line),
            utterance: Type.Optional(Type.Union([filePart, Type.String()])),
            hungUp: Type.Optional(Type.String({ maxLength: 10 })),
          }),
          produces: ['application/voicexml+xml'],
          response: document,
        },
      },
      async (request, reply) => {
        const { state, utterance, line: given, hungUp, ...fields } = request.body;
        const file = utterance as { readonly content?: unknown; readonly contentType?: string } | string | undefined;
        const document = await ivr.next(callerOf(request), {
          state,
          keys: pressed(fields),
          utterance:
            typeof file === 'object' && Buffer.isBuffer(file.content) && file.content.length > 0
              ? { bytes: file.content, contentType: file.contentType ?? null }
              : null,
          line: lineNumberOf(given),
          hungUp: hungUp === 'true',
        });
        return sendDocument(reply, document);
      },
    );
    // No key: browsers fetch recordings without. They say what every caller hears.
    app.get(
      '/ivr/prompts/:file',
      { schema: { summary: 'A recorded prompt', tags, params: closed({ file: Type.String({ maxLength: 200 }) }) } },
      async (request, reply) => {
        const recording = ivr.recordings.get(request.params.file);
        if (recording === undefined) throw new VoicegateError('not_found', 'There is no such recording');
        return reply.type(recording.mediaType).header('cache-control', 'max-age=300').send(recording.bytes);
      },
    );
  };

/** A document holds what is good for this call only. */
const sendDocument = (reply: FastifyReply, document: string) =>
  reply.type(vxmlType).header('cache-control', 'no-store').send(document);

function openingOf(
  dialogue: (typeof dialogueNames)[number],
  query: {
    readonly language?: 'zh' | 'en';
    readonly tier?: 'low' | 'standard' | 'high';
    readonly ends?: (typeof endings)[number];
    readonly callId?: string;
  },
  body: { readonly accountId?: string; readonly callId?: string; readonly lineNumber?: string },
) {
  return {
    dialogue,
    language: query.language ?? 'zh',
    tier: query.tier ?? 'low',
    ends: query.ends ?? 'exit',
    callId: body.callId ?? query.callId ?? null,
    line: lineNumberOf(body.lineNumber),
    accountId: body.accountId ?? null,
  } as const;
}

/** The fields in which keys were pressed, without spaces. */
function pressed(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(keyFields)) {
    const value = fields[name];
    const digits = typeof value === 'string' ? value.replaceAll(' ', '') : '';
    if (digits !== '') found[name] = digits;
  }
  return found;
}
