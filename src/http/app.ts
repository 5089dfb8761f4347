import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { LogController } from 'fastify';
import { VoicegateError } from '../errors.js';
import type { ServiceContext } from '../service/context.js';
import { readForm } from './audio-body.js';
import { registerAuthentication } from './authentication.js';
import type { App, HttpOptions } from './http-app.js';
import { toProblem } from './problem.js';
import { accountRoutes } from './routes/accounts.js';
import { apiKeyRoutes } from './routes/api-keys.js';
import { auditRoutes } from './routes/audit.js';
import { challengeRoutes } from './routes/challenges.js';
import { consentRoutes } from './routes/consents.js';
import { enrolmentRoutes } from './routes/enrolments.js';
import { operationRoutes } from './routes/operations.js';
import { pinRoutes } from './routes/pins.js';
import { policyRoutes } from './routes/policies.js';
import { verificationRoutes } from './routes/verifications.js';
import { problem } from './schemas.js';

/** Builds the HTTP edge. It translates and limits; it decides nothing. */
export async function buildApp(context: ServiceContext, options: HttpOptions): Promise<App> {
  const app = fastify({
    loggerInstance: options.log,
    // One line a request, written by the hook below, instead of Fastify's own that carry addresses.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.maxBodyBytes,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: options.requestTimeoutMs * 2,
    keepAliveTimeout: 60_000,
    trustProxy: options.trustProxy,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false, keywords: ['x-form'] } },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.addSchema(problem);
  app.setErrorHandler((fault, request, reply) => {
    const found = toProblem(fault);
    if (found.status >= 500 && found.status !== 503) {
      request.log.error(
        { err: { name: (fault as Error).name, stack: (fault as Error).stack }, route: request.routeOptions.url },
        'request failed',
      );
    }
    if (found.retryAfterSeconds !== undefined)
      void reply.header('retry-after', Math.max(1, Math.ceil(found.retryAfterSeconds)));
    if (found.status === 401) void reply.header('www-authenticate', 'Bearer');
    return reply.status(found.status).type('application/problem+json').send(JSON.stringify(found));
  });
  app.setNotFoundHandler(() => {
    throw new VoicegateError('not_found', 'There is nothing at this address', { hint: 'See /docs' });
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    options.metrics.request(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    request.log.info(
      {
        method: request.method,
        route,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
        apiKeyId: request.caller?.apiKeyId,
      },
      'request',
    );
  });

  registerAuthentication(app, context.store);
  await app.register(rateLimit, {
    max: options.ratePerMinute,
    timeWindow: 60_000,
    hook: 'onRequest',
    keyGenerator: (request) => request.caller?.apiKeyId ?? request.ip,
    allowList: (request) => request.routeOptions.config.roles === undefined,
    errorResponseBuilder: (_request, limit) =>
      new VoicegateError('rate_limited', `More than ${limit.max} requests a minute with this key`, {
        hint: 'Spread the requests, or raise VOICEGATE_RATE_PER_MINUTE',
        retryAfterSeconds: Math.ceil(limit.ttl / 1000),
      }),
  });
  await app.register(multipart, {
    limits: { fileSize: options.maxBodyBytes, files: 1, fields: 20, fieldSize: 4096, parts: 21 },
  });
  app.addHook('preValidation', async (request) => {
    if (request.isMultipart()) request.body = await readForm(request);
  });
  app.addContentTypeParser(/^(audio\/|application\/octet-stream)/i, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Voicegate', version: options.version, description: 'Voiceprint authentication for call centres' },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'vg_…' } } },
      security: [{ apiKey: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `def-${i}`),
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });

  for (const routes of [
    operationRoutes(options),
    accountRoutes,
    consentRoutes,
    pinRoutes,
    enrolmentRoutes,
    challengeRoutes,
    verificationRoutes,
    policyRoutes,
    auditRoutes,
    apiKeyRoutes,
  ]) {
    await app.register(async (scope) => routes(scope.withTypeProvider<TypeBoxTypeProvider>(), context));
  }
  await app.ready();
  return app;
}
