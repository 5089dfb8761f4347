import type { IdempotencyTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  request_sha256: Buffer;
  response_status: number | null;
  response_body: unknown;
  created_at: Date;
}

/** Answers kept for repeated requests of one tenant. */
export function idempotencyTable(query: TenantQuery): IdempotencyTable {
  return {
    async begin(row) {
      // A row that is being forgotten in this moment is neither inserted nor found: then look again.
      for (;;) {
        const inserted = await query(
          `insert into idempotent_requests (tenant_id, api_key_id, idempotency_key, request_sha256, created_at)
           values ($1, $2, $3, $4, $5) on conflict do nothing returning created_at`,
          row.apiKeyId,
          row.idempotencyKey,
          row.requestSha256,
          row.createdAt,
        );
        if (inserted.length === 1) return null;
        const [found] = await query<Columns>(
          `select request_sha256, response_status, response_body, created_at from idempotent_requests
           where tenant_id = $1 and api_key_id = $2 and idempotency_key = $3`,
          row.apiKeyId,
          row.idempotencyKey,
        );
        if (found === undefined) continue;
        const status = found.response_status;
        return {
          apiKeyId: row.apiKeyId,
          idempotencyKey: row.idempotencyKey,
          requestSha256: found.request_sha256,
          response: status === null ? null : { status, body: found.response_body },
          createdAt: found.created_at,
        };
      }
    },
    async finish(apiKeyId, idempotencyKey, response) {
      await query(
        `update idempotent_requests set response_status = $4, response_body = $5
         where tenant_id = $1 and api_key_id = $2 and idempotency_key = $3`,
        apiKeyId,
        idempotencyKey,
        response.status,
        JSON.stringify(response.body),
      );
    },
    async forget(apiKeyId, idempotencyKey) {
      await query(
        `delete from idempotent_requests
         where tenant_id = $1 and api_key_id = $2 and idempotency_key = $3 and response_status is null`,
        apiKeyId,
        idempotencyKey,
      );
    },
    async purge(before) {
      const purged = await query(
        'delete from idempotent_requests where tenant_id = $1 and created_at < $2 returning idempotency_key',
        before,
      );
      return purged.length;
    },
  };
}
