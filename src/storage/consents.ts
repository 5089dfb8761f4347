import type { ConsentTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  consent_id: string;
  account_id: string;
  purpose: string;
  text_version: string;
  channel: string;
  evidence_reference: string | null;
  agent_id: string | null;
  given_at: Date;
  withdrawn_at: Date | null;
}

const columns =
  'consent_id, account_id, purpose, text_version, channel, evidence_reference, agent_id, given_at, withdrawn_at';

/** What the callers of one tenant agreed to. */
export function consentTable(query: TenantQuery): ConsentTable {
  return {
    async current(accountId) {
      const [row] = await query<Columns>(
        `select ${columns} from consents where tenant_id = $1 and account_id = $2 and withdrawn_at is null
         order by ordinal desc limit 1`,
        accountId,
      );
      if (row === undefined) return null;
      return {
        consentId: row.consent_id,
        accountId: row.account_id,
        purpose: row.purpose,
        textVersion: row.text_version,
        channel: row.channel,
        evidenceReference: row.evidence_reference,
        agentId: row.agent_id,
        givenAt: row.given_at,
        withdrawnAt: row.withdrawn_at,
      };
    },
    async insert(row) {
      await query(
        `insert into consents (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        row.consentId,
        row.accountId,
        row.purpose,
        row.textVersion,
        row.channel,
        row.evidenceReference,
        row.agentId,
        row.givenAt,
        row.withdrawnAt,
      );
    },
    async withdraw(accountId, at) {
      const withdrawn = await query(
        `update consents set withdrawn_at = $3 where tenant_id = $1 and account_id = $2 and withdrawn_at is null
         returning consent_id`,
        accountId,
        at,
      );
      return withdrawn.length;
    },
  };
}
