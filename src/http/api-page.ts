import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import { binary, filePart } from './audio-body.js';

/** Serves /openapi.json's content and /docs from the routes' own schemas. Register before the routes. */
export async function registerApiPage(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Voicegate', version, description: 'Voiceprint authentication for call centres' },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'vg_…' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: '__Host-voicegate',
            description: 'Of a page that signed in by POST /v1/session; voicegate where it came by plain http',
          },
        },
      },
      security: [{ apiKey: [] }, { session: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `def-${i}`),
    },
    transform: ({ schema, url, route }) => ({ schema: described(schema, route), url }),
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
}

const problemAnswer = {
  description: 'A problem (RFC 9457); the README lists its codes',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
};

/** What every route has and none should have to say: its errors, and whether it needs a key. Recordings are shown as files. */
function described(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  const responses = (schema?.response ?? {}) as Record<string, unknown>;
  const body = schema?.body as { content?: Record<string, { schema: object }> } | undefined;
  return {
    ...schema,
    ...(body?.content === undefined ? {} : { body: { content: withFiles(body.content) } }),
    ...(route.config?.roles === undefined ? { security: [] } : {}),
    response: { ...responses, default: problemAnswer },
  };
}

function withFiles(content: Record<string, { schema: object }>): object {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema }]): [string, unknown] => {
      const { properties = {} } = schema as { properties?: Record<string, unknown> };
      const shown = Object.entries(properties).map(([name, one]): [string, unknown] => [
        name,
        isFile(one) ? binary : one,
      ]);
      return [
        type,
        { schema: { ...schema, ...(shown.length === 0 ? {} : { properties: Object.fromEntries(shown) }) } },
      ];
    }),
  );
}

const isFile = (schema: unknown): boolean =>
  (schema as { description?: string; type?: string }).type === 'object' &&
  (schema as { description?: string }).description === (filePart as { description?: string }).description;
