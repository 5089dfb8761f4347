import Type from 'typebox';
import { createChallenge } from '../../service/challenges.js';
import type { ServiceContext } from '../../service/context.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { accountId, challenge, closed, language, text } from '../schemas.js';

/** Challenges: digits to be spoken, once, soon. */
export function challengeRoutes(app: App, context: ServiceContext): void {
  app.post(
    '/v1/accounts/:accountId/challenges',
    {
      config: { roles: ['verifier'] },
      schema: {
        summary: 'Draw digits for the caller to say',
        description: 'An opaque key gets a challenge for any id, known or not.',
        tags: ['verification'],
        params: closed({ accountId }),
        body: closed({
          language: Type.Optional(language),
          lineNumber: Type.Optional(text(64, 'The caller’s line; kept as a keyed hash only')),
        }),
        response: { 201: challenge },
      },
    },
    async (request, reply) => {
      const made = await createChallenge(context, callerOf(request), request.params.accountId, {
        language: request.body.language ?? 'zh',
        lineNumber: request.body.lineNumber ?? null,
      });
      return reply.status(201).send(made);
    },
  );
}
