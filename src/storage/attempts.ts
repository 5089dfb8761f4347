import { noAttempts, type AttemptState } from '../decision/attempt-state.js';
import type { AttemptTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  failures: number;
  wrong_pins: number;
  locked_until: Date | null;
  disabled: boolean;
}

const columns = 'failures, wrong_pins, locked_until, disabled';

/** The attempt counters of one tenant, for accounts that exist and for those that were only guessed at. */
export function attemptTable(query: TenantQuery): AttemptTable {
  return {
    async lock(accountId) {
      // Makes the row or, by updating a column to itself, waits for and holds the one that is there: one statement, no moment between.
      const [row] = await query<Columns>(
        `insert into attempts (tenant_id, account_id) values ($1, $2)
         on conflict (tenant_id, account_id) do update set failures = attempts.failures
         returning ${columns}`,
        accountId,
      );
      return toState(row);
    },
    async get(accountId) {
      const [row] = await query<Columns>(
        `select ${columns} from attempts where tenant_id = $1 and account_id = $2`,
        accountId,
      );
      return toState(row);
    },
    async save(accountId, state) {
      await query(
        `insert into attempts (tenant_id, account_id, ${columns}) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, account_id) do update set
           failures = excluded.failures, wrong_pins = excluded.wrong_pins,
           locked_until = excluded.locked_until, disabled = excluded.disabled, touched_at = now()`,
        accountId,
        state.failures,
        state.wrongPins,
        state.lockedUntil,
        state.disabled,
      );
    },
    async purgeUnknown(before) {
      const purged = await query(
        `delete from attempts where tenant_id = $1 and touched_at < $2 and not exists
           (select 1 from accounts where accounts.tenant_id = $1 and accounts.account_id = attempts.account_id)
         returning account_id`,
        before,
      );
      return purged.length;
    },
  };
}

function toState(row: Columns | undefined): AttemptState {
  if (row === undefined) return noAttempts;
  return {
    failures: row.failures,
    wrongPins: row.wrong_pins,
    lockedUntil: row.locked_until,
    disabled: row.disabled,
  };
}
