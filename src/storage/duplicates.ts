import type { DuplicateRow, DuplicateTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  finding_id: string;
  account_id: string;
  other_account_id: string;
  enrolment_id: string;
  model_id: string;
  llr: number;
  threshold_llr: number;
  prints_searched: number;
  outcome: DuplicateRow['outcome'];
  created_at: Date;
  allowed: boolean | null;
  resolved_at: Date | null;
}

const columns = `finding_id, account_id, other_account_id, enrolment_id, model_id, llr, threshold_llr, prints_searched, outcome, created_at,
  allowed, resolved_at`;

/** Voices of one tenant found under two accounts. */
export function duplicateTable(query: TenantQuery): DuplicateTable {
  return {
    async insert(row) {
      await query(
        `insert into duplicate_findings (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
        row.findingId,
        row.accountId,
        row.otherAccountId,
        row.enrolmentId,
        row.modelId,
        row.llr,
        row.thresholdLlr,
        row.printsSearched,
        row.outcome,
        row.createdAt,
        row.allowed,
        row.resolvedAt,
      );
    },
    async list({ onlyOpen, before, limit }) {
      const rows = await query<Columns>(
        `select ${columns} from duplicate_findings
         where tenant_id = $1 and (not $2 or allowed is null)
           and ($3::text is null or ordinal < (select ordinal from duplicate_findings where tenant_id = $1 and finding_id = $3))
         order by ordinal desc limit $4`,
        onlyOpen,
        before,
        limit,
      );
      return rows.map(toRow);
    },
    async resolve(findingId, allowed, at) {
      const [row] = await query<Columns>(
        `update duplicate_findings set allowed = $3, resolved_at = $4 where tenant_id = $1 and finding_id = $2 returning ${columns}`,
        findingId,
        allowed,
        at,
      );
      return row === undefined ? null : toRow(row);
    },
    async allowedWith(accountId) {
      const rows = await query<{ other: string }>(
        `select distinct case when account_id = $2 then other_account_id else account_id end as other
         from duplicate_findings where tenant_id = $1 and (account_id = $2 or other_account_id = $2) and allowed`,
        accountId,
      );
      return rows.map(({ other }) => other);
    },
  };
}

function toRow(row: Columns): DuplicateRow {
  return {
    findingId: row.finding_id,
    accountId: row.account_id,
    otherAccountId: row.other_account_id,
    enrolmentId: row.enrolment_id,
    modelId: row.model_id,
    llr: row.llr,
    thresholdLlr: row.threshold_llr,
    printsSearched: row.prints_searched,
    outcome: row.outcome,
    createdAt: row.created_at,
    allowed: row.allowed,
    resolvedAt: row.resolved_at,
  };
}
