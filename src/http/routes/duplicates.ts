import Type from 'typebox';
import type { ServiceContext } from '../../service/context.js';
import { listDuplicates, resolveDuplicate } from '../../service/duplicates.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { accountId, closed, enrolmentId, findingId, list, nullable, oneOf, time } from '../schemas.js';

const finding = closed({
  findingId,
  accountId,
  otherAccountId: accountId,
  enrolmentId,
  modelId: Type.String(),
  llr: Type.Number({ description: 'Of the new voiceprint against the other account’s' }),
  thresholdLlr: Type.Number({ description: 'What it had to reach among so many voiceprints' }),
  printsSearched: Type.Integer(),
  outcome: oneOf(['flagged', 'refused'] as const, 'flagged: the voiceprint was made all the same'),
  createdAt: time(''),
  allowed: nullable(Type.Boolean({ description: 'Both accounts may hold this voice; null: nobody has looked yet' })),
  resolvedAt: nullable(time('')),
});

/** Voices that enrolled and were found under another account: for the security team alone. */
export function duplicateRoutes(app: App, context: ServiceContext): void {
  const config = { roles: ['analyst'] as const };
  const tags = ['security'];
  app.get(
    '/v1/duplicates',
    {
      config,
      schema: {
        summary: 'Voices that enrolled under two accounts',
        description:
          'Newest first. By what policy is in its `duplicates`; whoever enrols is never told of another account.',
        tags,
        querystring: closed({
          state: Type.Optional(oneOf(['open', 'all'] as const, 'open, the default: those nobody has looked at')),
          before: Type.Optional(findingId),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
        }),
        response: { 200: closed({ findings: list(finding) }) },
      },
    },
    async (request) => {
      const { state, before, limit } = request.query;
      const what = { onlyOpen: state !== 'all', before: before ?? null, limit: limit ?? 50 };
      return { findings: await listDuplicates(context, callerOf(request), what) };
    },
  );
  app.post(
    '/v1/duplicates/:findingId/resolution',
    {
      config,
      schema: {
        summary: 'Say what a finding is',
        description:
          'allowed: both accounts may hold the voice (one person, two lines), and it is not found between them again.',
        tags,
        params: closed({ findingId }),
        body: closed({ allowed: Type.Boolean() }),
        response: { 200: finding },
      },
    },
    async (request) => resolveDuplicate(context, callerOf(request), request.params.findingId, request.body.allowed),
  );
}
