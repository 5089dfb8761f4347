import { Command } from 'commander';
import { VoicegateError } from '../errors.js';
import type { WithStore } from './with-store.js';

/** `voicegate tenants …`: one operator is one tenant; keys decide whose data a request sees. */
export function tenantsCommand(withStore: WithStore): Command {
  const tenants = new Command('tenants').description('tenants');
  tenants
    .command('create <tenantId>')
    .description('make a tenant (then make its first key with `voicegate keys create --tenant`)')
    .option('--name <text>', 'for people')
    .action(async (tenantId: string, options: { name?: string }) => {
      if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(tenantId)) {
        throw new VoicegateError('invalid_request', `${tenantId} is not a tenant id`, {
          hint: '1 to 63 of a-z 0-9 -, beginning with a letter or digit',
        });
      }
      await withStore((store) =>
        store.createTenant({ tenantId, name: options.name ?? tenantId, createdAt: new Date() }),
      );
      process.stderr.write(`tenant ${tenantId} made\n`);
    });
  tenants
    .command('list')
    .description('list tenants')
    .action(async () => {
      console.table(await withStore((store) => store.listTenants()));
    });
  return tenants;
}
