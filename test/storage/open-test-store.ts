import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Test } from 'tap';
import { migrationsDir, rootDir } from '../../src/paths.js';
import type { Store } from '../../src/service/ports.js';
import type { DatabasePlace, Engine } from '../../src/storage/engine.js';
import { migrate } from '../../src/storage/migrate.js';
import { openEngine } from '../../src/storage/open-engine.js';
import { storeOn } from '../../src/storage/store.js';

/** The lane: a PostgreSQL server whose role may create databases; unset, everything runs on the embedded engine. */
export const testDatabaseUrl = process.env.VOICEGATE_TEST_DATABASE_URL;

/** The audit secret of all test stores. */
export const testAuditKey = new Uint8Array(32).fill(7);

type Teardown = Pick<Test, 'teardown'>;

/**
 * An empty database for one test file, removed at teardown: a fresh one on the test server, or an embedded one in a temporary folder.
 */
export async function openTestPlace(t: Teardown): Promise<DatabasePlace> {
  if (testDatabaseUrl === undefined) return { dataDir: await emptyDataDir(t) };
  const name = `vg_test_${randomBytes(6).toString('hex')}`;
  await onServer(`create database ${name}`);
  t.teardown(() => onServer(`drop database ${name} with (force)`));
  const databaseUrl = new URL(testDatabaseUrl);
  databaseUrl.pathname = name;
  return { databaseUrl: databaseUrl.href };
}

/** A migrated store on such a database, closed at teardown. */
export async function openTestStore(t: Teardown): Promise<Store> {
  return (await openTestEngine(t)).store;
}

/** The same with the engine under it, for tests that look at the tables. */
export async function openTestEngine(t: Teardown): Promise<{ store: Store; engine: Engine }> {
  const engine = await openEngine(await openTestPlace(t));
  const store = storeOn(engine, { auditKey: testAuditKey, migrationsDir });
  t.teardown(() => store.close());
  await migrate(engine, migrationsDir);
  return { store, engine };
}

/** Runs one statement on the test server's own database. */
async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testDatabaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * The folder of an empty embedded database. Making one takes three seconds of a core, copying one a tenth of that: one is kept for all
 * test files.
 */
export async function emptyDataDir(t: Teardown): Promise<string> {
  const cache = join(rootDir, 'node_modules', '.cache', 'voicegate');
  const manifest = readFileSync(join(rootDir, 'node_modules', '@electric-sql', 'pglite', 'package.json'), 'utf8');
  const template = join(cache, `pglite-${(JSON.parse(manifest) as { version: string }).version}`);
  if (!existsSync(template)) {
    mkdirSync(cache, { recursive: true });
    const fresh = mkdtempSync(join(cache, 'new-'));
    await (await openEngine({ dataDir: fresh })).close();
    try {
      renameSync(fresh, template);
    } catch {
      rmSync(fresh, { recursive: true }); // Another test file was first.
    }
  }
  const dataDir = temporaryFolder(t);
  cpSync(template, dataDir, { recursive: true });
  return dataDir;
}

/** An empty folder, removed at teardown. */
export function temporaryFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'voicegate-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
