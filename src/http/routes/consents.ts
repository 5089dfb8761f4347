import Type from 'typebox';
import { giveConsent, withdrawConsent } from '../../service/consents.js';
import type { ServiceContext } from '../../service/context.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { accountId, agentId, closed, consent, text } from '../schemas.js';

/** Consent to the use of the voice. Without it no audio of the account is embedded. */
export function consentRoutes(app: App, context: ServiceContext): void {
  const params = closed({ accountId });
  const config = { roles: ['enroller', 'admin'] as const };
  const tags = ['consents'];

  app.post(
    '/v1/accounts/:accountId/consents',
    {
      config,
      schema: {
        summary: 'Record a consent',
        tags,
        params,
        body: closed({
          purpose: text(100, 'What the voice may be used for, e.g. authentication'),
          textVersion: text(100, 'Version of the text that was read out or shown'),
          channel: text(50, 'Where it was given: ivr, agent, app …'),
          evidenceReference: Type.Optional(text(200, 'Where the operator keeps the proof')),
          agentId: Type.Optional(agentId),
        }),
        response: { 201: consent },
      },
    },
    async (request, reply) => {
      const { purpose, textVersion, channel, evidenceReference, agentId: agent } = request.body;
      const row = await giveConsent(context, callerOf(request), request.params.accountId, {
        purpose,
        textVersion,
        channel,
        evidenceReference: evidenceReference ?? null,
        agentId: agent ?? null,
      });
      return reply.status(201).send(row);
    },
  );
  app.delete(
    '/v1/accounts/:accountId/consents/current',
    {
      config,
      schema: { summary: 'Withdraw the consent; erases the voiceprint', tags, params, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await withdrawConsent(context, callerOf(request), request.params.accountId);
      return reply.status(204).send(null);
    },
  );
}
