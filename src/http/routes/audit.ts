import Type from 'typebox';
import { readAudit } from '../../service/audit-trail.js';
import type { ServiceContext } from '../../service/context.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { closed, list, nullable, time } from '../schemas.js';

/** The audit trail: append-only, sealed entry by entry, with a signed head to keep elsewhere. */
export function auditRoutes(app: App, context: ServiceContext): void {
  app.get(
    '/v1/audit',
    {
      config: { roles: ['analyst', 'admin'] },
      schema: {
        summary: 'Entries in order, with the signed head',
        tags: ['audit'],
        querystring: closed({
          after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'Entries after this number' })),
          limit: Type.Optional(
            Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: 'At most so many, 100 by default' }),
          ),
        }),
        response: {
          200: closed({
            entries: list(
              closed({
                seq: Type.Integer(),
                at: time(''),
                event: Type.Unsafe<object>({ type: 'object', additionalProperties: true }),
                seal: Type.String(),
              }),
            ),
            head: nullable(
              closed({
                tenantId: Type.String(),
                seq: Type.Integer(),
                seal: Type.String(),
                at: time(''),
                signature: Type.String(),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      return readAudit(context, callerOf(request), Number(after ?? 0), Number(limit ?? 100));
    },
  );
}
