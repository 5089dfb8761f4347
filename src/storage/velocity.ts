import type { VelocityCounts, VelocityTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

/** Counted failures of one tenant by line and by API key. */
export function velocityTable(query: TenantQuery): VelocityTable {
  return {
    async lock(subject) {
      // An advisory lock, so that a subject that never failed leaves no row. Two subjects of one hash merely wait for each other.
      await query(`select pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0))`, subject);
    },
    async counts(subject, since) {
      const [counts] = await query<VelocityCounts>(
        `select count(distinct account_id)::integer as "distinctAccounts", count(*)::integer as failures
         from velocity_failures where tenant_id = $1 and subject = $2 and failed_at >= $3`,
        subject,
        since,
      );
      return counts ?? { distinctAccounts: 0, failures: 0 };
    },
    async record(subject, accountId, at) {
      await query(
        'insert into velocity_failures (tenant_id, subject, account_id, failed_at) values ($1, $2, $3, $4)',
        subject,
        accountId,
        at,
      );
    },
    async purge(before) {
      const purged = await query(
        'delete from velocity_failures where tenant_id = $1 and failed_at < $2 returning ordinal',
        before,
      );
      return purged.length;
    },
  };
}
