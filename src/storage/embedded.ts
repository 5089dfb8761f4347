import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { VoicegateError } from '../errors.js';
import { takeLock } from '../ops/process-lock.js';
import type { Engine } from './engine.js';

/** How long a transaction waits for its turn on the one connection. */
const queueTimeoutMs = 10_000;

/** PGlite keeps its buffers for ever; with its default of 128 MB the process is 115 MB larger (see README). */
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'];

/**
 * PGlite with pgvector, in a folder or (null) in memory. One process may hold a folder; one transaction runs at a time.
 * @throws VoicegateError `configuration_invalid` when another process holds the folder, or it cannot be made or written;
 *   `database_unavailable` when the database in it does not start
 */
export async function openEmbedded(dataDir: string | null): Promise<Engine> {
  if (dataDir === null) return startPool(await start('memory://'), () => undefined);
  makeFolder(dataDir);
  // Two embedded databases on one folder destroy it, and PGlite does not look.
  const unlock = takeLock(join(dataDir, 'voicegate.lock'), `the data folder ${dataDir}`);
  try {
    const folder = join(dataDir, 'pgdata');
    if (!existsSync(folder)) await create(folder);
    return startPool(await start(folder), unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new VoicegateError('configuration_invalid', `the data folder ${dataDir} cannot be made or written`, {
      hint: 'Name a folder that this user may write.',
      cause,
    });
  }
}

/**
 * PGlite makes a new database by copying files; killed in the middle it would leave half a database that it later takes for a whole one.
 * So it is made under another name, shut down, and gets its name when it is complete.
 */
async function create(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  await (await start(unfinished)).close();
  renameSync(unfinished, folder);
}

async function start(dataDir: string): Promise<PGlite> {
  try {
    return await PGlite.create({ dataDir, extensions: { vector }, startParams });
  } catch (cause) {
    throw new VoicegateError('database_unavailable', 'the embedded database does not start', {
      hint: 'The disk may be full or the data folder damaged: make room, or restore the folder from a backup.',
      cause,
    });
  }
}

function startPool(database: PGlite, unlock: () => void): Engine {
  const pool = new pg.Pool({
    ...createPgConfig(database),
    // All clients would share the one connection and read each other's answers: there must never be two.
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: queueTimeoutMs,
  });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    pool,
    async close() {
      await pool.end();
      await database.close();
      unlock();
    },
  };
}
