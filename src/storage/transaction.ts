import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { isRetryable } from './database-error.js';
import { withClient, type Engine } from './engine.js';

const maxTries = 5;
const firstRetryDelayMs = 5;

/**
 * Runs `work` between BEGIN and COMMIT (read committed: our order comes from row locks). Rolls back when it throws.
 * What the server undid itself because of a deadlock or a serialisation failure is tried again, five times in all.
 * A commit whose answer got lost is not repeated: it may have happened.
 * @throws VoicegateError `database_unavailable`, `busy`; and whatever `work` throws
 */
export async function inTransaction<T>(engine: Engine, work: (client: PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await withClient(engine, (client) => once(client, work));
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (attempt === maxTries || !isRetryable(cause)) throw error;
      // Random, so that two that met do not meet again.
      await sleep(Math.random() * firstRetryDelayMs * 2 ** attempt);
    }
  }
}

async function once<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work(client);
    const { command } = await client.query('commit');
    // A failed statement whose error `work` swallowed: PostgreSQL answers such a commit without an error, but has rolled back.
    if (command !== 'COMMIT')
      throw new Error('a statement failed and its error was not passed on; nothing was committed');
    return result;
  } catch (error) {
    // On a dead connection there is nothing left to roll back; the first error is the one that says why.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
