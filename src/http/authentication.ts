import type { FastifyInstance, FastifyRequest } from 'fastify';
import { VoicegateError } from '../errors.js';
import { authenticate } from '../service/api-keys.js';
import type { Caller } from '../service/context.js';
import type { Role, Store } from '../service/ports.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Roles that may use the route: one of them is enough. Absent: no key is needed. */
    readonly roles?: readonly Role[];
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/**
 * Checks the key before a byte of the body is read: `Authorization: Bearer vg_…`. Routes name their roles in their config.
 * Answers `unauthenticated` without saying whether the key is malformed, unknown or revoked.
 */
export function registerAuthentication(app: FastifyInstance, store: Store): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    const needed = request.routeOptions.config.roles;
    if (needed === undefined) return;
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const caller = token === undefined ? null : await authenticate(store, token);
    if (caller === null) {
      throw new VoicegateError('unauthenticated', 'No valid API key was sent', {
        hint: 'Send Authorization: Bearer vg_…',
      });
    }
    if (!needed.some((role) => caller.roles.includes(role))) {
      throw new VoicegateError('forbidden', 'This key’s roles do not allow this', {
        hint: `Needs one of: ${needed.join(', ')}`,
      });
    }
    request.caller = caller;
  });
}

/** The caller of an authenticated route. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new VoicegateError('unauthenticated', 'No valid API key was sent');
  return request.caller;
}
