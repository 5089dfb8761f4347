import type { PoolClient } from 'pg';
import type { ApiKeyRow, ApiKeyTable } from '../service/ports.js';
import { runPrepared, type TenantQuery } from './tenant-query.js';

/** A row of `api_keys`. */
export interface ApiKeyColumns {
  tenant_id: string;
  key_id: string;
  secret_sha256: Buffer;
  label: string;
  roles: ApiKeyRow['roles'];
  answer: ApiKeyRow['answer'];
  created_at: Date;
  revoked_at: Date | null;
}

const columnNames = ['tenant_id', 'key_id', 'secret_sha256', 'label', 'roles', 'answer', 'created_at', 'revoked_at'];
const columns = columnNames.join(', ');

/** The columns for a query that names the table `alias`. */
export const keyColumnsOf = (alias: string): string => columnNames.map((name) => `${alias}.${name}`).join(', ');

/** The API keys of one tenant, by their hashes. */
export function apiKeyTable(query: TenantQuery): ApiKeyTable {
  return {
    async list() {
      const rows = await query<ApiKeyColumns>(
        `select ${columns} from api_keys where tenant_id = $1 order by created_at, key_id`,
      );
      return rows.map(toApiKeyRow);
    },
    async insert(row) {
      await query(
        `insert into api_keys (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        row.keyId,
        row.secretSha256,
        row.label,
        row.roles,
        row.answer,
        row.createdAt,
        row.revokedAt,
      );
    },
    async revoke(keyId, at) {
      const revoked = await query(
        `update api_keys set revoked_at = $3 where tenant_id = $1 and key_id = $2 and revoked_at is null
         returning key_id`,
        keyId,
        at,
      );
      return revoked.length === 1;
    },
  };
}

/** The one look-up over all tenants: the key says which tenant asks. */
export async function findApiKey(client: PoolClient, keyId: string): Promise<ApiKeyRow | null> {
  const [row] = await runPrepared<ApiKeyColumns>(client, `select ${columns} from api_keys where key_id = $1`, [keyId]);
  return row === undefined ? null : toApiKeyRow(row);
}

/** A row as the service has it. */
export function toApiKeyRow(row: ApiKeyColumns): ApiKeyRow {
  return {
    tenantId: row.tenant_id,
    keyId: row.key_id,
    secretSha256: row.secret_sha256,
    label: row.label,
    roles: row.roles,
    answer: row.answer,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  };
}
