import Type from 'typebox';
import type { ServiceContext } from '../../service/context.js';
import { activatePolicy, listPolicies, storePolicy } from '../../service/policies.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { closed, list, policy } from '../schemas.js';

/** Policies are data: stored as versions, one active. */
export function policyRoutes(app: App, context: ServiceContext): void {
  const tags = ['policies'];
  app.get(
    '/v1/policies',
    {
      config: { roles: ['analyst', 'admin'] },
      schema: { summary: 'All versions', tags, response: { 200: closed({ policies: list(policy) }) } },
    },
    async (request) => ({ policies: await listPolicies(context, callerOf(request)) }),
  );
  app.put(
    '/v1/policies',
    {
      config: { roles: ['admin'] },
      schema: {
        summary: 'Store a policy as the next version',
        description:
          'The body is the whole document; errors name the field and its range. It judges once it is activated.',
        tags,
        body: Type.Unsafe<object>({ type: 'object', description: 'A policy document as GET shows it' }),
        response: { 201: policy },
      },
    },
    async (request, reply) => reply.status(201).send(await storePolicy(context, callerOf(request), request.body)),
  );
  app.post(
    '/v1/policies/:version/activate',
    {
      config: { roles: ['admin'] },
      schema: {
        summary: 'Let a version judge from now on',
        tags,
        params: closed({ version: Type.String({ pattern: '^[1-9][0-9]{0,8}$' }) }),
        response: { 200: policy },
      },
    },
    async (request) => activatePolicy(context, callerOf(request), Number(request.params.version)),
  );
}
