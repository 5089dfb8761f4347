import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { VoicegateError } from '../errors.js';
import { sqlState } from './database-error.js';
import type { DatabasePlace, Engine } from './engine.js';
import { openEngine } from './open-engine.js';
import { inTransaction } from './transaction.js';

interface Migration {
  /** File name without .sql. */
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** What a run of the migrations did. */
export interface MigrationReport {
  readonly applied: readonly string[];
  readonly alreadyApplied: number;
}

/** "voicegate" on a telephone's keys: any number that other programs on the same server do not use. */
const advisoryLockId = 864_234_283;

/**
 * Opens the database, brings its schema up to date and closes it: the operator's `migrate` command.
 * @throws as `migrate`
 */
export async function migrateDatabase(place: DatabasePlace, migrationsDir: string): Promise<MigrationReport> {
  const engine = await openEngine(place);
  try {
    return await migrate(engine, migrationsDir);
  } finally {
    await engine.close();
  }
}

/**
 * Applies the migrations that are missing, all in one transaction under a lock: of two starters the second waits and finds nothing to do.
 * @throws VoicegateError `database_newer` when the database has migrations this build does not know;
 *   `configuration_invalid` when an applied file was changed since, or when the server lacks pgvector or the right to install it
 */
export async function migrate(engine: Engine, migrationsDir: string): Promise<MigrationReport> {
  const known = readMigrations(migrationsDir);
  return inTransaction(engine, async (client) => {
    await client.query('set local statement_timeout = 0');
    await client.query('select pg_advisory_xact_lock($1)', [advisoryLockId]);
    await client.query(`create table if not exists schema_migrations
      (name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
    const pending = missing(known, await readApplied(client));
    for (const migration of pending) await apply(client, migration);
    return { applied: pending.map(({ name }) => name), alreadyApplied: known.length - pending.length };
  });
}

/**
 * Resolves when the database answers and has exactly this build's migrations.
 * @throws VoicegateError `database_newer`, `configuration_invalid`, `database_unavailable`
 */
export async function checkSchema(client: PoolClient, migrationsDir: string): Promise<void> {
  const table = await client.query<{ there: boolean }>(`select to_regclass('schema_migrations') is not null as there`);
  const applied = table.rows[0]?.there === true ? await readApplied(client) : new Map<string, string>();
  const pending = missing(readMigrations(migrationsDir), applied);
  if (pending.length > 0) {
    throw new VoicegateError('configuration_invalid', `the database lacks ${pending.length} migrations`, {
      hint: 'Run voicegate migrate.',
    });
  }
}

function readMigrations(migrationsDir: string): Migration[] {
  return readdirSync(migrationsDir)
    .filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const sql = readFileSync(join(migrationsDir, file), 'utf8');
      return { name: file.slice(0, -'.sql'.length), sql, sha256: createHash('sha256').update(sql).digest('hex') };
    });
}

async function readApplied(client: PoolClient): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from schema_migrations');
  return new Map(rows.map((row) => [row.name, row.sha256]));
}

/** The tail of `known` that is not applied yet; what is applied must be its unchanged beginning. */
function missing(known: readonly Migration[], applied: ReadonlyMap<string, string>): readonly Migration[] {
  const unknown = [...applied.keys()].find((name) => !known.some((migration) => migration.name === name));
  if (unknown !== undefined) {
    throw new VoicegateError(
      'database_newer',
      `the database has migration ${unknown}, which this build does not know`,
      {
        hint: 'Start the newer build that made it, or restore a backup from before.',
      },
    );
  }
  for (const [index, migration] of known.entries()) {
    const sha256 = applied.get(migration.name);
    if (sha256 === migration.sha256) continue;
    if (sha256 === undefined && index >= applied.size) continue;
    throw new VoicegateError('configuration_invalid', `migration ${migration.name} is not the one that was applied`, {
      hint: 'Restore the file; write a new migration instead of changing one.',
    });
  }
  return known.slice(applied.size);
}

async function apply(client: PoolClient, migration: Migration): Promise<void> {
  try {
    await client.query(migration.sql);
  } catch (cause) {
    const state = sqlState(cause);
    // feature_not_supported and undefined_file: the extension's files are not there; insufficient_privilege: we may not create it.
    if (state !== '0A000' && state !== '58P01' && state !== '42501') throw cause;
    throw new VoicegateError(
      'configuration_invalid',
      `migration ${migration.name} failed: ${(cause as Error).message}`,
      {
        hint: 'The server needs pgvector, and CREATE EXTENSION vector run once by a role that may.',
        cause,
      },
    );
  }
  await client.query('insert into schema_migrations (name, sha256) values ($1, $2)', [
    migration.name,
    migration.sha256,
  ]);
}
