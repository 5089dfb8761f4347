import Type from 'typebox';
import { createApiKey, listApiKeys, revokeApiKey, rotateApiKey } from '../../service/api-keys.js';
import type { ServiceContext } from '../../service/context.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { apiKey, closed, list } from '../schemas.js';

/** API keys: shown once, stored hashed, listed, rotated, revoked. */
export function apiKeyRoutes(app: App, context: ServiceContext): void {
  const config = { roles: ['admin'] as const };
  const tags = ['keys'];
  const params = closed({ keyId: apiKey.keyId });
  const fresh = closed({ ...apiKey, apiKey: Type.String({ description: 'Shown this once' }) });
  const { label, roles, answer } = apiKey;

  app.get(
    '/v1/keys',
    { config, schema: { summary: 'All keys', tags, response: { 200: closed({ keys: list(closed(apiKey)) }) } } },
    async (request) => ({
      keys: await listApiKeys(context, callerOf(request)),
    }),
  );
  app.post(
    '/v1/keys',
    {
      config,
      schema: { summary: 'Make a key', tags, body: closed({ label, roles, answer }), response: { 201: fresh } },
    },
    async (request, reply) => {
      const made = await createApiKey(context, callerOf(request), request.body);
      return reply.status(201).send(made);
    },
  );
  app.post(
    '/v1/keys/:keyId/rotate',
    {
      config,
      schema: { summary: 'Replace a key by a new one', tags, params, response: { 201: fresh } },
    },
    async (request, reply) => {
      const made = await rotateApiKey(context, callerOf(request), request.params.keyId);
      return reply.status(201).send(made);
    },
  );
  app.delete(
    '/v1/keys/:keyId',
    { config, schema: { summary: 'Revoke a key', tags, params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await revokeApiKey(context, callerOf(request), request.params.keyId);
      return reply.status(204).send(null);
    },
  );
}
