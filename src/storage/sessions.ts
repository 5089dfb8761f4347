import type { PoolClient } from 'pg';
import type { ApiKeyRow, SessionRow, SessionTable } from '../service/ports.js';
import { keyColumnsOf, toApiKeyRow, type ApiKeyColumns } from './api-keys.js';
import { runPrepared, type TenantQuery } from './tenant-query.js';

interface Columns {
  session_sha256: Buffer;
  session_created_at: Date;
  session_seen_at: Date;
}

/** The signed-in pages of one tenant, by the hashes of their tokens. */
export function sessionTable(query: TenantQuery): SessionTable {
  return {
    async insert({ tokenSha256, keyId, createdAt, seenAt }) {
      await query(
        'insert into sessions (tenant_id, token_sha256, key_id, created_at, seen_at) values ($1, $2, $3, $4, $5)',
        tokenSha256,
        keyId,
        createdAt,
        seenAt,
      );
    },
    async seen(tokenSha256, at) {
      await query('update sessions set seen_at = $3 where tenant_id = $1 and token_sha256 = $2', tokenSha256, at);
    },
    async remove(tokenSha256) {
      const removed = await query(
        'delete from sessions where tenant_id = $1 and token_sha256 = $2 returning key_id',
        tokenSha256,
      );
      return removed.length === 1;
    },
    async purge(seenBefore) {
      const removed = await query(
        'delete from sessions where tenant_id = $1 and seen_at < $2 returning key_id',
        seenBefore,
      );
      return removed.length;
    },
  };
}

/** The look-up over all tenants: a session's key says which tenant asks. */
export async function findSession(
  client: PoolClient,
  tokenSha256: Uint8Array,
): Promise<{ readonly session: SessionRow; readonly key: ApiKeyRow } | null> {
  const [row] = await runPrepared<Columns & ApiKeyColumns>(
    client,
    `select ${keyColumnsOf('k')}, s.token_sha256 as session_sha256, s.created_at as session_created_at,
            s.seen_at as session_seen_at
     from sessions s join api_keys k on k.tenant_id = s.tenant_id and k.key_id = s.key_id where s.token_sha256 = $1`,
    [tokenSha256],
  );
  if (row === undefined) return null;
  const key = toApiKeyRow(row);
  const { session_sha256, session_created_at, session_seen_at } = row;
  return {
    key,
    session: { tokenSha256: session_sha256, keyId: key.keyId, createdAt: session_created_at, seenAt: session_seen_at },
  };
}
