import { canonicalJson } from '../audit/canonical-json.js';
import type { AuditEvent } from '../audit/entry.js';
import { signHead } from '../audit/head.js';
import type { AuditKeys } from '../audit/keys.js';
import { sealEntry } from '../audit/seal.js';
import { VoicegateError } from '../errors.js';
import type { AuditTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

/** PostgreSQL's bigint comes as text; 2^53 entries are out of reach. */
interface HeadColumns {
  seq: string;
  seal: string;
  recorded_at: Date | null;
  signature: string | null;
}

interface EntryColumns {
  seq: string;
  recorded_at: Date;
  event: AuditEvent;
  seal: string;
}

const selectHead = 'select seq, seal, recorded_at, signature from audit_heads where tenant_id = $1';

/** The sealed chain of one tenant. */
export function auditTable(query: TenantQuery, keys: AuditKeys, tenantId: string): AuditTable {
  return {
    async append(event, at) {
      const [head] = await query<HeadColumns>(`${selectHead} for update`);
      if (head === undefined) throw new VoicegateError('not_found', 'there is no such tenant');
      const entry = sealEntry(keys, tenantId, head.seal, Number(head.seq) + 1, at, event);
      await query(
        `with moved as (
           update audit_heads set seq = $2, recorded_at = $3, seal = $5, signature = $6 where tenant_id = $1
         )
         insert into audit_entries (tenant_id, seq, recorded_at, event, seal) values ($1, $2, $3, $4, $5)`,
        entry.seq,
        at,
        canonicalJson(event),
        entry.seal,
        signHead(keys, tenantId, entry).signature,
      );
      return entry;
    },
    async page(afterSeq, limit) {
      const rows = await query<EntryColumns>(
        `select seq, recorded_at, event, seal from audit_entries
         where tenant_id = $1 and seq > $2 order by seq limit $3`,
        afterSeq,
        limit,
      );
      return rows.map((row) => ({ seq: Number(row.seq), at: row.recorded_at, event: row.event, seal: row.seal }));
    },
    async head() {
      const [head] = await query<HeadColumns>(selectHead);
      if (head === undefined || head.recorded_at === null || head.signature === null) return null;
      return { tenantId, seq: Number(head.seq), seal: head.seal, at: head.recorded_at, signature: head.signature };
    },
  };
}
