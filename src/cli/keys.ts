import { Command, Option } from 'commander';
import { VoicegateError } from '../errors.js';
import { createApiKey, listApiKeys, revokeApiKey, rotateApiKey } from '../service/api-keys.js';
import type { Caller } from '../service/context.js';
import { defaultTenantId, ensureTenant } from '../service/first-start.js';
import { roles, type AnswerKind, type Role, type Store } from '../service/ports.js';
import type { WithStore } from './with-store.js';

const now = (): Date => new Date();

function operatorOf(tenantId: string): Caller {
  return { tenantId, apiKeyId: null, roles, answer: 'full' };
}

async function inTenant<T>(
  withStore: WithStore,
  tenantId: string,
  work: (store: Store, operator: Caller) => Promise<T>,
): Promise<T> {
  return withStore(async (store) => {
    await ensureTenant({ store, now });
    if (!(await store.listTenants()).some((tenant) => tenant.tenantId === tenantId)) {
      throw new VoicegateError('not_found', `there is no tenant ${tenantId}`, {
        hint: 'voicegate tenants list shows them; make one with voicegate tenants create',
      });
    }
    return work(store, operatorOf(tenantId));
  });
}

/** `voicegate keys …`: make, list, rotate and revoke API keys. */
export function keysCommand(withStore: WithStore): Command {
  const keys = new Command('keys').description('API keys: a secret is shown once and stored hashed');
  const tenant = (): Option => new Option('--tenant <id>', 'tenant').default(defaultTenantId);
  keys
    .command('create')
    .description('make a key and print it')
    .requiredOption('--label <text>', 'for people: what the key is for')
    .addOption(new Option('--role <role...>', 'what it may do').choices(roles).makeOptionMandatory())
    .addOption(
      new Option('--answer <kind>', 'full: reasons and evidence; opaque: decision only')
        .choices(['full', 'opaque'])
        .default('opaque'),
    )
    .addOption(tenant())
    .action(async (options: { label: string; role: Role[]; answer: AnswerKind; tenant: string }) => {
      const made = await inTenant(withStore, options.tenant, (store, operator) =>
        createApiKey({ store, now }, operator, { label: options.label, roles: options.role, answer: options.answer }),
      );
      process.stderr.write(`key ${made.keyId} for ${made.roles.join(', ')} (${made.answer}); shown this once:\n`);
      process.stdout.write(`${made.apiKey}\n`);
    });
  keys
    .command('list')
    .description('list keys')
    .addOption(tenant())
    .action(async (options: { tenant: string }) => {
      const rows = await inTenant(withStore, options.tenant, (store, operator) =>
        listApiKeys({ store, now }, operator),
      );
      console.table(
        rows.map(({ keyId, label, roles: may, answer, createdAt, revokedAt }) => ({
          keyId,
          label,
          roles: may.join(' '),
          answer,
          created: createdAt.toISOString(),
          revoked: revokedAt?.toISOString() ?? '',
        })),
      );
    });
  keys
    .command('rotate <keyId>')
    .description('make a key of the same kind, print it and end the old one')
    .addOption(tenant())
    .action(async (keyId: string, options: { tenant: string }) => {
      const made = await inTenant(withStore, options.tenant, (store, operator) =>
        rotateApiKey({ store, now }, operator, keyId),
      );
      process.stdout.write(`${made.apiKey}\n`);
    });
  keys
    .command('revoke <keyId>')
    .description('end a key at once')
    .addOption(tenant())
    .action(async (keyId: string, options: { tenant: string }) => {
      await inTenant(withStore, options.tenant, (store, operator) => revokeApiKey({ store, now }, operator, keyId));
      process.stderr.write(`key ${keyId} is revoked\n`);
    });
  return keys;
}
