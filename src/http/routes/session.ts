import Type from 'typebox';
import { listApiKeys } from '../../service/api-keys.js';
import type { ServiceContext } from '../../service/context.js';
import { roles } from '../../service/ports.js';
import { signIn, signOut, type Session } from '../../service/sessions.js';
import { callerOf } from '../authentication.js';
import { FailedSignIns } from '../failed-sign-ins.js';
import type { App, HttpOptions } from '../http-app.js';
import { checkOwnPage, endedCookie, sessionCookie, sessionTokenIn } from '../page-session.js';
import { originOf } from '../public-address.js';
import { apiKey, closed, nullable, time } from '../schemas.js';

/** Signing in for pages: a key once, then a cookie that scripts cannot read. */
export const sessionRoutes =
  ({ publicUrl }: HttpOptions) =>
  (app: App, context: ServiceContext): void => {
    const tags = ['session'];
    const { keyId, label, roles: rolesOfKey, answer } = apiKey;
    const session = closed({
      keyId,
      label,
      roles: rolesOfKey,
      answer,
      expiresAt: nullable(time('The session ends then, or after 30 minutes without a request; null: a key was sent')),
    });
    const failed = new FailedSignIns();
    const view = async ({ caller, expiresAt }: { caller: Session['caller']; expiresAt: Date | null }) => {
      const key = (await listApiKeys(context, caller)).find((one) => one.keyId === caller.apiKeyId);
      return {
        keyId: caller.apiKeyId ?? '',
        label: key?.label ?? '',
        roles: caller.roles,
        answer: caller.answer,
        expiresAt,
      };
    };

    app.post(
      '/v1/session',
      {
        schema: {
          summary: 'Sign a page in',
          description:
            'For pages of this service: answers a cookie that the other routes take in place of Authorization. Programs send their key instead.',
          tags,
          body: closed({ apiKey: Type.String({ maxLength: 200, description: 'vg_…' }) }),
          response: { 201: session },
        },
      },
      async (request, reply) => {
        const origin = originOf(request, publicUrl);
        checkOwnPage(request, origin);
        const made = await failed.limit(request.ip, () =>
          signIn(context, request.body.apiKey, sessionTokenIn(request, origin)),
        );
        void reply.header('set-cookie', sessionCookie(origin, made.token)).header('cache-control', 'no-store');
        return reply.status(201).send(await view(made));
      },
    );
    app.get(
      '/v1/session',
      {
        config: { roles },
        schema: { summary: 'Who is signed in', tags, response: { 200: session } },
      },
      async (request) => view({ caller: callerOf(request), expiresAt: request.session?.expiresAt ?? null }),
    );
    app.delete(
      '/v1/session',
      { schema: { summary: 'Sign out; ends the session on every node', tags, response: { 204: Type.Null() } } },
      async (request, reply) => {
        const origin = originOf(request, publicUrl);
        checkOwnPage(request, origin);
        const token = sessionTokenIn(request, origin);
        if (token !== null) await signOut(context, token);
        return reply.header('set-cookie', endedCookie(origin)).status(204).send(null);
      },
    );
  };
