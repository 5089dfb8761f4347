import type { ChallengeRow, ChallengeTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  challenge_id: string;
  account_id: string;
  digits: string;
  purpose: ChallengeRow['purpose'];
  language: 'zh' | 'en';
  line_hash: Buffer | null;
  created_at: Date;
  expires_at: Date;
  used_at: Date | null;
}

const columns = 'challenge_id, account_id, digits, purpose, language, line_hash, created_at, expires_at, used_at';

/** The last prompts that `purge` keeps, so that a new one can avoid their digit pairs. */
const keptPerAccount = 5;

/** Digit prompts given to callers of one tenant. */
export function challengeTable(query: TenantQuery): ChallengeTable {
  return {
    async get(challengeId) {
      const [row] = await query<Columns>(
        `select ${columns} from challenges where tenant_id = $1 and challenge_id = $2`,
        challengeId,
      );
      return row === undefined ? null : toRow(row);
    },
    async insert(row) {
      await query(
        `insert into challenges (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        row.challengeId,
        row.accountId,
        row.digits,
        row.purpose,
        row.language,
        row.lineHash,
        row.createdAt,
        row.expiresAt,
        row.usedAt,
      );
    },
    async claim(challengeId, at) {
      // The second of two callers waits for the first to commit, then looks at the condition again and finds it false.
      const claimed = await query(
        `update challenges set used_at = $3 where tenant_id = $1 and challenge_id = $2 and used_at is null
         returning challenge_id`,
        challengeId,
        at,
      );
      return claimed.length === 1;
    },
    async recentDigits(accountId, count) {
      const rows = await query<{ digits: string }>(
        'select digits from challenges where tenant_id = $1 and account_id = $2 order by ordinal desc limit $3',
        accountId,
        count,
      );
      return rows.map((row) => row.digits);
    },
    async expireOldest(accountId, keep, now) {
      await query(
        // The newest that must go is looked up once; a list of all that must go would be made anew for every row.
        `update challenges set expires_at = $4
         where tenant_id = $1 and account_id = $2 and used_at is null and expires_at > $4 and ordinal <=
           (select ordinal from challenges
            where tenant_id = $1 and account_id = $2 and used_at is null and expires_at > $4
            order by ordinal desc offset $3 limit 1)`,
        accountId,
        keep,
        now,
      );
    },
    async purge(before) {
      const purged = await query(
        `delete from challenges old where tenant_id = $1 and expires_at < $2 and ordinal <
           (select newer.ordinal from challenges newer
            where newer.tenant_id = $1 and newer.account_id = old.account_id
            order by newer.ordinal desc offset $3 limit 1)
         returning challenge_id`,
        before,
        keptPerAccount - 1,
      );
      return purged.length;
    },
  };
}

function toRow(row: Columns): ChallengeRow {
  return {
    challengeId: row.challenge_id,
    accountId: row.account_id,
    digits: row.digits,
    purpose: row.purpose,
    language: row.language,
    lineHash: row.line_hash,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
  };
}
