import Type, { type Static } from 'typebox';
import type { ServiceContext } from '../../service/context.js';
import { completeEnrolment } from '../../service/complete-enrolment.js';
import { addUtterance, cancelEnrolment, getEnrolment, startEnrolment } from '../../service/enrolments.js';
import { undoEnrolment } from '../../service/undo-enrolment.js';
import type { App } from '../http-app.js';
import { binary, filePart, formChannel, fromForm, fromJson, fromRaw, jsonAudio } from '../audio-body.js';
import { callerOf } from '../authentication.js';
import { proofOf } from '../proof-body.js';
import {
  accountId,
  agentId,
  closed,
  enrolment,
  enrolmentId,
  hint,
  language,
  list,
  nullable,
  phrase,
  progress,
  proofFields,
  quality,
  reason,
} from '../schemas.js';

/** Enrolment: prompts, utterances one by one, then the voiceprint. */
export function enrolmentRoutes(app: App, context: ServiceContext): void {
  const config = { roles: ['enroller'] as const };
  const params = closed({ enrolmentId });
  const tags = ['enrolments'];
  const jsonBody = closed({ audio: jsonAudio });
  const formBody = closed({ audio: Type.Optional(filePart), audioChannel: Type.Optional(formChannel) });

  // Here only: elsewhere a bare recording is a 415.
  app.addContentTypeParser(/^(audio\/|application\/octet-stream)/i, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.post(
    '/v1/accounts/:accountId/enrolments',
    {
      config,
      schema: {
        summary: 'Start an enrolment',
        description:
          'Needs recorded consent. A first voiceprint needs pin or agentId; replacing one needs pin, verificationId, or agentId with overrideReason.',
        tags,
        params: closed({ accountId }),
        body: closed({ language: Type.Optional(language), ...proofFields }),
        response: { 201: enrolment },
      },
    },
    async (request, reply) => {
      const { language: asked, ...proof } = request.body;
      const made = await startEnrolment(context, callerOf(request), request.params.accountId, {
        language: asked ?? 'zh',
        proof: proofOf(proof),
      });
      return reply.status(201).send(made);
    },
  );
  app.get(
    '/v1/enrolments/:enrolmentId',
    { config, schema: { summary: 'Prompts and progress', tags, params, response: { 200: enrolment } } },
    async (request) => getEnrolment(context, callerOf(request), request.params.enrolmentId),
  );
  app.delete(
    '/v1/enrolments/:enrolmentId',
    { config, schema: { summary: 'Give an open enrolment up', tags, params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await cancelEnrolment(context, callerOf(request), request.params.enrolmentId);
      return reply.status(204).send(null);
    },
  );
  app.post(
    '/v1/enrolments/:enrolmentId/utterances',
    {
      config,
      schema: {
        summary: 'Send one utterance',
        description: 'As multipart/form-data (part audio), as JSON (base64), or as the bare recording (audio/*).',
        tags,
        params,
        querystring: closed({ channel: Type.Optional(formChannel) }),
        consumes: ['application/json', 'multipart/form-data', 'audio/*'],
        body: {
          content: {
            'application/json': { schema: jsonBody },
            'multipart/form-data': { schema: formBody },
            'audio/*': { schema: binary },
          },
        },
        response: {
          200: closed({ accepted: Type.Boolean(), reasons: list(reason), quality, phrase, progress, hint }),
        },
      },
    },
    async (request) => {
      const { channel } = request.query;
      const audio = request.isMultipart()
        ? fromForm(
            (request.body as Static<typeof formBody>).audio,
            (request.body as Static<typeof formBody>).audioChannel,
          )
        : request.mediaType === 'application/json'
          ? fromJson((request.body as Static<typeof jsonBody>).audio)
          : fromRaw(request.body, request.headers['content-type'], channel);
      return addUtterance(context, callerOf(request), request.params.enrolmentId, audio);
    },
  );
  app.post(
    '/v1/enrolments/:enrolmentId/complete',
    {
      config,
      schema: {
        summary: 'Make the voiceprint',
        tags,
        params,
        response: { 201: closed({ enrolment, voiceprintId: Type.String(), supersedes: nullable(Type.String()) }) },
      },
    },
    async (request, reply) =>
      reply.status(201).send(await completeEnrolment(context, callerOf(request), request.params.enrolmentId)),
  );
  app.post(
    '/v1/enrolments/:enrolmentId/undo',
    {
      config,
      schema: {
        summary: 'Take back an enrolment just made',
        description:
          'By the key that began it, with the agentId of the agent who did, within the policy’s undoMinutes. Its voiceprint is erased; the one it replaced judges again.',
        tags,
        params,
        body: closed({ agentId }),
        response: {
          200: closed({
            enrolmentId,
            voiceprintsErased: Type.Integer(),
            restoredVoiceprintIds: list(Type.String()),
          }),
        },
      },
    },
    async (request) => undoEnrolment(context, callerOf(request), request.params.enrolmentId, request.body.agentId),
  );
}
