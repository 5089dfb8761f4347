import type { PoolClient } from 'pg';
import { VoicegateError } from '../errors.js';
import type { TenantRow } from '../service/ports.js';

interface Columns {
  tenant_id: string;
  name: string;
  created_at: Date;
}

/** All tenants by id. */
export async function listTenants(client: PoolClient): Promise<TenantRow[]> {
  const { rows } = await client.query<Columns>('select tenant_id, name, created_at from tenants order by tenant_id');
  return rows.map((row) => ({ tenantId: row.tenant_id, name: row.name, createdAt: row.created_at }));
}

/**
 * Makes a tenant together with the head of its audit chain.
 * @throws VoicegateError `conflict` when the id is taken
 */
export async function createTenant(client: PoolClient, tenant: TenantRow): Promise<void> {
  // One statement, so that there is never a tenant without a chain.
  const { rowCount } = await client.query(
    `with made as (
       insert into tenants (tenant_id, name, created_at) values ($1, $2, $3) on conflict do nothing returning tenant_id
     ) insert into audit_heads (tenant_id) select tenant_id from made`,
    [tenant.tenantId, tenant.name, tenant.createdAt],
  );
  if (rowCount === 0) {
    throw new VoicegateError('conflict', `tenant ${tenant.tenantId} exists already`, { hint: 'Choose another id.' });
  }
}
