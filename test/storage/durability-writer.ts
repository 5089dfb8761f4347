import { createHash } from 'node:crypto';
import { migrationsDir } from '../../src/paths.js';
import { openStore } from '../../src/storage/store.js';

/**
 * A process of its own for embedded.test.ts: opens the data folder it is given and, until it is killed, puts in transactions of an
 * account and its audit entry, printing each id once its transaction has committed.
 */
const [, , dataDir = '', run = ''] = process.argv;
const store = await openStore({ dataDir, auditKey: new Uint8Array(32).fill(7), migrationsDir });
if (!(await store.listTenants()).some(({ tenantId }) => tenantId === 'north')) {
  await store.createTenant({ tenantId: 'north', name: 'North', createdAt: new Date() });
}
process.stdout.write('open\n');
for (let i = 0; ; i++) {
  const accountId = `${run}-${i}`;
  const pseudonymKey = createHash('sha256').update(accountId).digest();
  await store.transaction('north', async (tx) => {
    const at = new Date();
    await tx.accounts.insertIfAbsent({ accountId, createdAt: at, pseudonymKey, pinHash: null, pinSetAt: null });
    const by = { apiKeyId: null, agentId: null };
    await tx.audit.append({ by, kind: 'account_created', account: accountId }, at);
  });
  process.stdout.write(`${accountId}\n`);
}
