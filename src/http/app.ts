import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { LogController, type FastifyReply } from 'fastify';
import { VoicegateError } from '../errors.js';
import type { ServiceContext } from '../service/context.js';
import { registerApiPage } from './api-page.js';
import { isRecording, readForm } from './audio-body.js';
import { challengeOf, registerAuthentication } from './authentication.js';
import type { App, HttpOptions } from './http-app.js';
import { answerBrokenRequest } from './broken-request.js';
import { callsPage } from './calls-page.js';
import { problemType, toProblem } from './problem.js';
import { accountRoutes } from './routes/accounts.js';
import { apiKeyRoutes } from './routes/api-keys.js';
import { auditRoutes } from './routes/audit.js';
import { challengeRoutes } from './routes/challenges.js';
import { consentRoutes } from './routes/consents.js';
import { agentRoutes } from './routes/agents.js';
import { duplicateRoutes } from './routes/duplicates.js';
import { enrolmentRoutes } from './routes/enrolments.js';
import { ivrRoutes } from './routes/ivr.js';
import { modelRoutes } from './routes/models.js';
import { operationRoutes } from './routes/operations.js';
import { pageRoutes } from './routes/pages.js';
import { pinRoutes } from './routes/pins.js';
import { policyRoutes } from './routes/policies.js';
import { sessionRoutes } from './routes/session.js';
import { streamRoutes } from './routes/streams.js';
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
    // The hook below does it with a problem.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
    // An address that cannot be decoded never reaches a route, nor the handler below.
    frameworkErrors: (fault, _request, reply: FastifyReply) => {
      const found = toProblem(fault);
      void reply.status(found.status).type(problemType).send(JSON.stringify(found));
    },
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.addSchema(problem);
  app.setErrorHandler((fault, request, reply) => {
    const found = toProblem(fault);
    if (found.status >= 500 && found.status !== 503) {
      request.log.error({ err: traceOf(fault), route: request.routeOptions.url }, 'request failed');
    }
    if (found.retryAfterSeconds !== undefined)
      void reply.header('retry-after', Math.max(1, Math.ceil(found.retryAfterSeconds)));
    if (found.status === 401) void reply.header('www-authenticate', challengeOf(request));
    return reply.status(found.status).type(problemType).send(JSON.stringify(found));
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

  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', async (_request, reply) => {
    if (!closing) return;
    void reply.header('connection', 'close');
    throw new VoicegateError('shutting_down', 'This node is stopping', {
      hint: 'Send the request again: another node, or this one after its restart, takes it',
      retryAfterSeconds: 1,
    });
  });
  // An answer to a request taken before the stop must not keep its connection, which would keep the process.
  app.addHook('onSend', async (_request, reply) => {
    if (closing) void reply.header('connection', 'close');
  });
  // What no route asks for: it would pass the schemas of bodies that differ by type.
  app.removeContentTypeParser('text/plain');
  registerAuthentication(app, context, options.publicUrl);
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
    isPartAFile: isRecording,
  });
  app.addHook('preValidation', async (request) => {
    if (request.isMultipart()) request.body = await readForm(request);
  });
  await registerApiPage(app, options.version);

  for (const routes of [
    operationRoutes(options),
    callsPage(options),
    accountRoutes,
    consentRoutes,
    pinRoutes,
    enrolmentRoutes,
    agentRoutes,
    duplicateRoutes,
    challengeRoutes,
    verificationRoutes,
    streamRoutes(options),
    ivrRoutes(options),
    policyRoutes,
    modelRoutes,
    auditRoutes,
    apiKeyRoutes,
    sessionRoutes(options),
    pageRoutes(options),
  ]) {
    await app.register(async (scope) => routes(scope.withTypeProvider<TypeBoxTypeProvider>(), context));
  }
  await app.ready();
  return app;
}

/** What the log is told of a fault: names, stack and codes. Messages of causes may carry values and stay out. */
function traceOf(fault: unknown): object {
  const { name, stack, cause } = fault as Error;
  const deeper = cause as (Error & { readonly code?: string }) | undefined;
  return { name, stack, causeName: deeper?.name, causeCode: deeper?.code };
}
