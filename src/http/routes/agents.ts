import Type, { type Static } from 'typebox';
import { eraseAgentVoiceprint, getAgentVoiceprint, putAgentVoiceprint } from '../../service/agents.js';
import type { ServiceContext } from '../../service/context.js';
import type { App } from '../http-app.js';
import { filePart, formChannel, fromForm, fromJson, jsonAudio } from '../audio-body.js';
import { callerOf } from '../authentication.js';
import { agentId, closed, hint, list, nullable, quality, reason, text, time } from '../schemas.js';

const consentFields = {
  consentTextVersion: text(100, 'Version of the text that the agent agreed to'),
  consentReference: Type.Optional(text(200, 'Where the operator keeps the proof of it')),
};
const voiceprint = closed({
  agentId,
  modelIds: list(Type.String()),
  netSpeechSeconds: Type.Number(),
  consentTextVersion: Type.String(),
  consentReference: nullable(Type.String()),
  createdAt: time(''),
});

/** Voices of agents, which are kept out of their customers' voiceprints. */
export function agentRoutes(app: App, context: ServiceContext): void {
  const config = { roles: ['enroller', 'admin'] as const };
  const params = closed({ agentId });
  const tags = ['agents'];
  const jsonBody = closed({ ...consentFields, audio: jsonAudio });
  const formBody = closed({
    ...consentFields,
    audio: Type.Optional(filePart),
    audioChannel: Type.Optional(formChannel),
  });

  app.put(
    '/v1/agents/:agentId/voiceprint',
    {
      config: { roles: ['enroller'] },
      schema: {
        summary: 'Make an agent’s voiceprint',
        description:
          'Of one recording with as much speech as an enrolment needs. Lets enrolments in calls whose voices come in one channel leave out what the agent says. ' +
          'Nobody is identified or let in by it.',
        tags,
        params,
        consumes: ['application/json', 'multipart/form-data'],
        body: {
          content: {
            'application/json': { schema: jsonBody },
            'multipart/form-data': { schema: formBody },
          },
        },
        response: { 200: closed({ voiceprint: nullable(voiceprint), reasons: list(reason), quality, hint }) },
      },
    },
    async (request) => {
      const form = request.isMultipart() ? (request.body as Static<typeof formBody>) : null;
      const body = (form ?? request.body) as Static<typeof jsonBody>;
      const audio = form === null ? fromJson(body.audio) : fromForm(form.audio, form.audioChannel);
      return putAgentVoiceprint(context, callerOf(request), request.params.agentId, audio, {
        textVersion: body.consentTextVersion,
        reference: body.consentReference ?? null,
      });
    },
  );
  app.get(
    '/v1/agents/:agentId/voiceprint',
    { config, schema: { summary: 'Whether there is one', tags, params, response: { 200: voiceprint } } },
    async (request) => getAgentVoiceprint(context, callerOf(request), request.params.agentId),
  );
  app.delete(
    '/v1/agents/:agentId/voiceprint',
    { config, schema: { summary: 'Erase it', tags, params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await eraseAgentVoiceprint(context, callerOf(request), request.params.agentId);
      return reply.status(204).send(null);
    },
  );
}
