import Type from 'typebox';
import type { App, HttpOptions } from '../http-app.js';

/** Liveness, readiness, metrics and the API's description. No key is needed: keep them inside the operator's network. */
export const operationRoutes =
  (options: HttpOptions) =>
  (app: App): void => {
    const state = Type.Object({ status: Type.String() });
    app.get(
      '/healthz',
      { schema: { summary: 'The process lives', tags: ['operations'], response: { 200: state } } },
      async () => ({ status: 'alive' }),
    );
    app.get(
      '/readyz',
      {
        schema: {
          summary: 'Database, models and workers are ready',
          tags: ['operations'],
          response: { 200: state, 503: { $ref: 'Problem#' } },
        },
      },
      async () => {
        await options.ready();
        return { status: 'ready' };
      },
    );
    app.get('/metrics', { schema: { summary: 'Prometheus metrics', tags: ['operations'] } }, async (_request, reply) =>
      reply.type(options.metrics.contentType).send(await options.metrics.render()),
    );
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  };
