import pg from 'pg';
import { VoicegateError } from '../errors.js';
import type { Engine } from './engine.js';

const defaultPoolSize = 10;
/** Both for reaching the server and for waiting until a connection of the pool is free. */
const connectTimeoutMs = 10_000;
/** Longer than any statement of ours by far; what reaches it waits on a lock that does not come free. */
const statementTimeoutMs = 15_000;
/** A transaction that forgot to end must not hold an account's lock for ever. */
const idleInTransactionTimeoutMs = 30_000;

/**
 * A bounded pool on a PostgreSQL server (14 or later, with pgvector). Connects with the first query.
 * @throws VoicegateError `configuration_invalid` when the URL is no postgres URL or the pool size no integer from 1 to 200
 */
export function openServer(databaseUrl: string, poolSize = defaultPoolSize): Engine {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new VoicegateError('configuration_invalid', 'DATABASE_URL is no PostgreSQL URL', {
      hint: 'Give postgres://user:password@host:5432/database.',
    });
  }
  if (!Number.isInteger(poolSize) || poolSize < 1 || poolSize > 200) {
    throw new VoicegateError('configuration_invalid', `the database pool size ${poolSize} is out of range`, {
      hint: 'Give an integer from 1 to 200.',
    });
  }
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    application_name: 'voicegate',
    keepAlive: true,
  });
  // A connection may die at rest or between two statements of a transaction. Unheard, its 'error' event would end the process;
  // whoever uses the connection next gets the error from its query, so there is nothing to do here.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return { pool, close: () => pool.end() };
}
