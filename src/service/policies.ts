import { parsePolicy, type PolicyDocument } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import { activePolicy, actorOf, type Caller, type ServiceContext } from './context.js';
import type { PolicyRow } from './ports.js';

/** The document that judges now. */
export async function currentPolicy(context: ServiceContext, caller: Caller): Promise<PolicyDocument> {
  return (await context.store.transaction(caller.tenantId, (tx) => activePolicy(tx, context.now()))).document;
}

/** All versions of the tenant's policy, the active one marked. */
export async function listPolicies(context: ServiceContext, caller: Caller): Promise<readonly PolicyRow[]> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    await activePolicy(tx, context.now());
    return tx.policies.list();
  });
}

/** Stores a policy as the next version, not active yet. @throws VoicegateError `policy_invalid` naming the field */
export async function storePolicy(context: ServiceContext, caller: Caller, document: unknown): Promise<PolicyRow> {
  const parsed = parsePolicy(document);
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    await activePolicy(tx, now);
    const row = await tx.policies.insert(parsed, now, caller.apiKeyId ?? 'command line');
    await tx.audit.append({ kind: 'policy_stored', by: actorOf(caller), version: row.version }, now);
    return row;
  });
}

/** Makes a stored version the one that judges from now on. @throws VoicegateError `policy_unknown` */
export async function activatePolicy(context: ServiceContext, caller: Caller, version: number): Promise<PolicyRow> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const row = await tx.policies.get(version);
    if (row === null) {
      throw new VoicegateError('policy_unknown', `There is no policy version ${version}`, {
        hint: 'GET /v1/policies lists the versions',
      });
    }
    await tx.policies.activate(version);
    await tx.audit.append({ kind: 'policy_activated', by: actorOf(caller), version }, context.now());
    return { ...row, active: true };
  });
}
