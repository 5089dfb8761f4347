import { readStoredPolicy } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import type { PolicyRow, PolicyTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  version: number;
  document: unknown;
  created_at: Date;
  created_by: string;
  active: boolean;
}

const columns = 'version, document, created_at, created_by, active';

/** The policy versions of one tenant; at most one is active. */
export function policyTable(query: TenantQuery): PolicyTable {
  return {
    async active() {
      return first(await query<Columns>(`select ${columns} from policies where tenant_id = $1 and active`));
    },
    async get(version) {
      return first(
        await query<Columns>(`select ${columns} from policies where tenant_id = $1 and version = $2`, version),
      );
    },
    async list() {
      const rows = await query<Columns>(`select ${columns} from policies where tenant_id = $1 order by version`);
      return rows.map(toRow);
    },
    async insert(document, createdAt, createdBy) {
      await holdVersions(query);
      const row = first(
        await query<Columns>(
          `insert into policies (tenant_id, version, document, created_at, created_by)
           select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from policies where tenant_id = $1
           returning ${columns}`,
          JSON.stringify(document),
          createdAt,
          createdBy,
        ),
      );
      if (row === null) throw new Error('insert returned no policy');
      return row;
    },
    async activate(version) {
      await holdVersions(query);
      // Two statements: within one, the index of active policies could see the new one before the old one is gone.
      await query('update policies set active = false where tenant_id = $1 and active and version <> $2', version);
      const activated = await query(
        'update policies set active = true where tenant_id = $1 and version = $2 returning version',
        version,
      );
      if (activated.length === 0) {
        throw new VoicegateError('policy_unknown', `there is no policy version ${version}`, {
          hint: 'List the policies and name one of their versions.',
        });
      }
    },
  };
}

/** Two writers of one tenant's policies take turns, until their transactions end. Rows that refer to the tenant are not held up. */
async function holdVersions(query: TenantQuery): Promise<void> {
  await query('select 1 from tenants where tenant_id = $1 for no key update');
}

function first(rows: readonly Columns[]): PolicyRow | null {
  return rows[0] === undefined ? null : toRow(rows[0]);
}

function toRow(row: Columns): PolicyRow {
  return {
    version: row.version,
    document: readStoredPolicy(row.document),
    createdAt: row.created_at,
    createdBy: row.created_by,
    active: row.active,
  };
}
