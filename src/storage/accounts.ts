import type { AccountRow, AccountTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  account_id: string;
  created_at: Date;
  pseudonym_key: Buffer;
  pin_hash: string | null;
  pin_set_at: Date | null;
}

const columns = 'account_id, created_at, pseudonym_key, pin_hash, pin_set_at';
const selectOne = `select ${columns} from accounts where tenant_id = $1 and account_id = $2`;

/** Accounts of one tenant, and the opt-out marks. */
export function accountTable(query: TenantQuery): AccountTable {
  return {
    async get(accountId) {
      return first(await query<Columns>(selectOne, accountId));
    },
    async lock(accountId) {
      return first(await query<Columns>(`${selectOne} for update`, accountId));
    },
    async insertIfAbsent(row) {
      // Not "do nothing": updating a column to itself answers the row that is there, also when it came in this very moment.
      const [found] = await query<Columns & { created: boolean }>(
        `insert into accounts (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, account_id) do update set created_at = accounts.created_at
         returning ${columns}, xmax = 0 as created`,
        row.accountId,
        row.createdAt,
        row.pseudonymKey,
        row.pinHash,
        row.pinSetAt,
      );
      if (found === undefined) throw new Error('insert returned no account');
      return { row: toRow(found), created: found.created };
    },
    async setPin(accountId, pinHash, setAt) {
      await query(
        'update accounts set pin_hash = $3, pin_set_at = $4 where tenant_id = $1 and account_id = $2',
        accountId,
        pinHash,
        setAt,
      );
    },
    erase: (accountId) => erase(query, accountId),
    async isOptedOut(accountHash) {
      const marks = await query('select 1 from opt_outs where tenant_id = $1 and account_hash = $2', accountHash);
      return marks.length > 0;
    },
    async setOptOut(accountHash, optedOut, at) {
      if (!optedOut) {
        await query('delete from opt_outs where tenant_id = $1 and account_hash = $2', accountHash);
        return;
      }
      await query(
        'insert into opt_outs (tenant_id, account_hash, opted_out_at) values ($1, $2, $3) on conflict do nothing',
        accountHash,
        at,
      );
    },
  };
}

/** The account's own row takes consents, enrolments, voiceprints and their utterances with it (foreign keys). */
async function erase(query: TenantQuery, accountId: string): Promise<void> {
  await query('delete from accounts where tenant_id = $1 and account_id = $2', accountId);
  await query('delete from challenges where tenant_id = $1 and account_id = $2', accountId);
  await query('delete from streams where tenant_id = $1 and account_id = $2', accountId);
  await query('delete from attempts where tenant_id = $1 and account_id = $2', accountId);
  await query('delete from velocity_failures where tenant_id = $1 and account_id = $2', accountId);
  await query(
    `update verifications set account_id = null, call_id = null, line_hash = null
     where tenant_id = $1 and account_id = $2`,
    accountId,
  );
  // Kept answers name the account in one field, written by JSON.stringify.
  await query(
    'delete from idempotent_requests where tenant_id = $1 and position($2 in response_body::text) > 0',
    `"accountId":${JSON.stringify(accountId)}`,
  );
}

function first(rows: readonly Columns[]): AccountRow | null {
  return rows[0] === undefined ? null : toRow(rows[0]);
}

function toRow(row: Columns): AccountRow {
  return {
    accountId: row.account_id,
    createdAt: row.created_at,
    pseudonymKey: row.pseudonym_key,
    pinHash: row.pin_hash,
    pinSetAt: row.pin_set_at,
  };
}
