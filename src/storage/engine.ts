import type { Pool, PoolClient } from 'pg';
import { VoicegateError } from '../errors.js';
import { toVoicegateError } from './database-error.js';

/** Where the data lives: a PostgreSQL server, a folder of this machine (PGlite), or nowhere that lasts (PGlite, for tests). */
export type DatabasePlace =
  | { readonly databaseUrl: string; readonly poolSize?: number }
  | { readonly dataDir: string }
  | { readonly inMemory: true };

/** One of the two engines, behind the same pool of node-postgres. */
export interface Engine {
  readonly pool: Pool;
  /** Ends the connections; the embedded database is shut down and its folder released. */
  close(): Promise<void>;
}

/**
 * Lends a connection to `work`. It goes back to the pool afterwards, or is thrown away when it broke.
 * Never call it inside `work`: the embedded engine has one connection and would wait for itself.
 * @throws VoicegateError `database_unavailable`, `busy`
 */
export async function withClient<T>(engine: Engine, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await engine.pool.connect().catch((error: unknown) => {
    throw toVoicegateError(error);
  });
  let broken = false;
  try {
    return await work(client);
  } catch (error) {
    const mapped = toVoicegateError(error);
    broken = mapped instanceof VoicegateError && mapped.code === 'database_unavailable';
    throw mapped;
  } finally {
    client.release(broken);
  }
}
