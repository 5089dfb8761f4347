import { noAttempts } from '../decision/attempt-state.js';
import type { Standing } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';
import { fromSql } from './vector.js';

/** One row for each print, or one without; a part's columns are null when the part is not there. */
interface Columns {
  account_id: string | null;
  created_at: Date;
  pseudonym_key: Buffer;
  pin_hash: string | null;
  pin_set_at: Date | null;
  opted_out: boolean;
  consented: boolean;
  voiceprint_id: string | null;
  model_id: string;
  embedding: string;
  net_speech_seconds: number;
  enrolled_at: Date;
  supersedes_voiceprint_id: string | null;
  failures: number | null;
  wrong_pins: number;
  locked_until: Date | null;
  disabled: boolean;
  policy_version: number | null;
}

/** All that a verification asks about an account, in one statement: it is asked twice for every call. */
export async function standingOf(query: TenantQuery, accountId: string, accountHash: Uint8Array): Promise<Standing> {
  const rows = await query<Columns>(
    `select a.account_id, a.created_at, a.pseudonym_key, a.pin_hash, a.pin_set_at,
       exists (select 1 from opt_outs o where o.tenant_id = $1 and o.account_hash = $3) as opted_out,
       exists (select 1 from consents c where c.tenant_id = $1 and c.account_id = $2 and c.withdrawn_at is null) as consented,
       v.voiceprint_id, v.model_id, v.embedding, v.net_speech_seconds, v.enrolled_at,
       v.supersedes_voiceprint_id, t.failures, t.wrong_pins, t.locked_until, t.disabled,
       (select p.version from policies p where p.tenant_id = $1 and p.active) as policy_version
     from (values (1)) as always
       left join accounts a on a.tenant_id = $1 and a.account_id = $2
       left join voiceprints v on v.tenant_id = $1 and v.account_id = $2 and v.superseded_at is null
       left join attempts t on t.tenant_id = $1 and t.account_id = $2
     order by v.created_at, v.voiceprint_id`,
    accountId,
    accountHash,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a join with one row on its left answered none');
  return {
    account:
      row.account_id === null
        ? null
        : {
            accountId: row.account_id,
            createdAt: row.created_at,
            pseudonymKey: row.pseudonym_key,
            pinHash: row.pin_hash,
            pinSetAt: row.pin_set_at,
          },
    optedOut: row.opted_out,
    consented: row.consented,
    prints: rows.flatMap((print) =>
      print.voiceprint_id === null
        ? []
        : [
            {
              voiceprintId: print.voiceprint_id,
              modelId: print.model_id,
              vector: fromSql(print.embedding),
              netSpeechSeconds: print.net_speech_seconds,
              enrolledAt: print.enrolled_at,
              supersedesVoiceprintId: print.supersedes_voiceprint_id,
            },
          ],
    ),
    attempts:
      row.failures === null
        ? noAttempts
        : {
            failures: row.failures,
            wrongPins: row.wrong_pins,
            lockedUntil: row.locked_until,
            disabled: row.disabled,
          },
    policyVersion: row.policy_version,
  };
}
