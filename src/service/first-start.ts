import { VoicegateError } from '../errors.js';
import { createApiKey } from './api-keys.js';
import type { KeyContext } from './context.js';
import { roles } from './ports.js';

/** The tenant that is there from the first start. */
export const defaultTenantId = 'default';

/** Makes the default tenant when there is no tenant yet. Answers whether it did. */
export async function ensureTenant(context: KeyContext): Promise<boolean> {
  if ((await context.store.listTenants()).length > 0) return false;
  try {
    await context.store.createTenant({ tenantId: defaultTenantId, name: 'Default', createdAt: context.now() });
    return true;
  } catch (fault) {
    // Another node, starting at the same moment, was first.
    if (fault instanceof VoicegateError && fault.code === 'conflict') return false;
    throw fault;
  }
}

/** A first key of the default tenant with every role and full answers, for a machine at home. Answers the key, to be shown once. */
export async function createFirstKey(context: KeyContext): Promise<string> {
  const operator = { tenantId: defaultTenantId, apiKeyId: null, roles, answer: 'full' as const };
  return (await createApiKey(context, operator, { label: 'made at the first start', roles, answer: 'full' })).apiKey;
}
