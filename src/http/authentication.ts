import type { FastifyInstance, FastifyRequest } from 'fastify';
import { VoicegateError } from '../errors.js';
import { authenticate } from '../service/api-keys.js';
import type { Caller, KeyContext } from '../service/context.js';
import type { Role } from '../service/ports.js';
import { findSession, type Session } from '../service/sessions.js';
import { checkOwnPage, sessionTokenIn } from './page-session.js';
import { originOf } from './public-address.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Roles that may use the route: one of them is enough. Absent: no key is needed. */
    readonly roles?: readonly Role[];
    /** The key may come as the password of HTTP basic authentication too: VoiceXML browsers know no other way. */
    readonly basic?: boolean;
  }
  interface FastifyInstance {
    /** Whom a request’s key or cookie stands for now; null: nobody, or nobody any more. For answers that go on for long. */
    callerNow(request: FastifyRequest): Promise<Caller | null>;
  }
  interface FastifyRequest {
    caller: Caller | null;
    /** Null where the request brought a key instead. */
    session: Session | null;
  }
}

/** How a key may be sent, as a 401 tells it (RFC 9110, section 11.6.1). */
export const challengeOf = (request: FastifyRequest): string =>
  request.routeOptions.config.basic === true ? 'Basic realm="voicegate", Bearer' : 'Bearer';

/**
 * Finds the caller before a byte of the body is read: by `Authorization: Bearer vg_…` (or basic, where the route says so), else by the cookie of a
 * page that signed in. Routes name their roles in their config. Answers `unauthenticated` without saying whether key or session is malformed, unknown, over or revoked.
 * @param publicUrl see `originOf`
 */
export function registerAuthentication(app: FastifyInstance, context: KeyContext, publicUrl: string | null): void {
  app.decorateRequest('caller', null);
  app.decorateRequest('session', null);
  app.decorate('callerNow', callerNow);
  app.addHook('onRequest', async (request, reply) => {
    const needed = request.routeOptions.config.roles;
    if (needed === undefined) return;
    const caller = await callerNow(request);
    if (caller === null) {
      throw new VoicegateError('unauthenticated', 'No valid API key was sent', {
        hint: 'Send Authorization: Bearer vg_…; on a page sign in again',
      });
    }
    if (!needed.some((role) => caller.roles.includes(role))) {
      throw new VoicegateError('forbidden', 'This key’s roles do not allow this', {
        hint: `Needs one of: ${needed.join(', ')}`,
      });
    }
    request.caller = caller;
    if (request.session !== null) void reply.header('cache-control', 'no-store');
  });

  async function callerNow(request: FastifyRequest): Promise<Caller | null> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return callerBy(authorization, request.routeOptions.config.basic === true);
    request.session = await sessionIn(request);
    return request.session?.caller ?? null;
  }

  async function callerBy(authorization: string, basic: boolean): Promise<Caller | null> {
    const key = keyIn(authorization, basic);
    return key === null ? null : authenticate(context.store, key);
  }

  async function sessionIn(request: FastifyRequest): Promise<Session | null> {
    const origin = originOf(request, publicUrl);
    const token = sessionTokenIn(request, origin);
    if (token === null) return null;
    checkOwnPage(request, origin);
    return findSession(context, token);
  }
}

/** The key in the header; null when there is none. @param basic whether it may be a basic password (RFC 7617), of any user */
function keyIn(authorization: string, basic: boolean): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined || !basic) return bearer ?? null;
  const pair = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  return pair === undefined ? null : (/^[^:]*:(.*)$/s.exec(Buffer.from(pair, 'base64').toString())?.[1] ?? null);
}

/** The caller of an authenticated route. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new VoicegateError('unauthenticated', 'No valid API key was sent');
  return request.caller;
}
