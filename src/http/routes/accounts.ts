import Type from 'typebox';
import { eraseAccount, getAccount, putAccount, setOptOut, unlockAccount } from '../../service/accounts.js';
import type { ServiceContext } from '../../service/context.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { account, accountId, agentId, closed, text } from '../schemas.js';

/** Accounts: the operator's own opaque ids, and their state. */
export function accountRoutes(app: App, context: ServiceContext): void {
  const params = closed({ accountId });
  const desk = { roles: ['enroller', 'admin'] as const };
  const tags = ['accounts'];

  app.put(
    '/v1/accounts/:accountId',
    {
      config: desk,
      schema: {
        summary: 'Create an account; again changes nothing',
        tags,
        params,
        response: { 200: account, 201: account },
      },
    },
    async (request, reply) => {
      const { created, account: made } = await putAccount(context, callerOf(request), request.params.accountId);
      return reply.status(created ? 201 : 200).send(made);
    },
  );
  app.get(
    '/v1/accounts/:accountId',
    {
      config: { roles: ['enroller', 'analyst', 'admin'] },
      schema: { summary: 'State of an account', tags, params, response: { 200: account } },
    },
    async (request) => getAccount(context, callerOf(request), request.params.accountId),
  );
  app.delete(
    '/v1/accounts/:accountId',
    {
      config: desk,
      schema: {
        summary: 'Erase voiceprints, PIN, consents and challenges',
        description: 'An opt-out outlives the erasure. The audit keeps a pseudonym whose key is erased.',
        tags,
        params,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await eraseAccount(context, callerOf(request), request.params.accountId);
      return reply.status(204).send(null);
    },
  );
  app.put(
    '/v1/accounts/:accountId/opt-out',
    {
      config: desk,
      schema: {
        summary: 'Set or lift the opt-out',
        description: 'Opting out erases the voiceprint and withdraws consent. Works for ids that have no account.',
        tags,
        params,
        body: closed({ optedOut: Type.Boolean() }),
        response: { 200: closed({ accountId, optedOut: Type.Boolean() }) },
      },
    },
    async (request) => setOptOut(context, callerOf(request), request.params.accountId, request.body.optedOut),
  );
  app.post(
    '/v1/accounts/:accountId/unlock',
    {
      config: desk,
      schema: {
        summary: 'Open a locked or disabled account',
        tags,
        params,
        body: closed({ agentId: Type.Optional(agentId), reason: Type.Optional(text(400, 'Goes to the audit')) }),
        response: { 200: account },
      },
    },
    async (request) =>
      unlockAccount(context, callerOf(request), request.params.accountId, {
        agentId: request.body.agentId ?? null,
        reason: request.body.reason ?? null,
      }),
  );
}
