import { VoicegateError } from '../errors.js';

/** PostgreSQL's SQLSTATE of an error, from a server or from the embedded engine; null for anything else. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error ? error.code : null;
}

/** serialization_failure and deadlock_detected: the server undid the transaction, and it is right to try again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/**
 * Says in Voicegate's codes what a caller can act on; what is a defect (a broken constraint, a bad statement) comes back unchanged.
 * SQLSTATE classes: PostgreSQL manual, appendix A.
 */
export function toVoicegateError(error: unknown): unknown {
  if (error instanceof VoicegateError || !(error instanceof Error)) return error;
  // "Failing row contains (…)": the detail shows values, and errors get logged.
  if ('detail' in error) error.detail = undefined;
  const state = sqlState(error);
  if (state === null) return fromConnection(error);
  if (isRetryable(error)) return busy('the database could not order this request among the others', error);
  if (state === '57014' || state === '55P03') return busy('a statement waited too long in the database', error);
  // connection exceptions, shutdown, not accepting connections, resources and idle limits
  if (/^08(?!P01)|^57P|^53|^25P03|^25P04/.test(state)) return unavailable('the database closed the door', error);
  if (/^28|^3D/.test(state)) return unavailable('the database refused the login or has no such database', error);
  if (state === '22021' || state === '22P05') {
    return new VoicegateError('invalid_request', 'a text holds a character that cannot be stored', {
      hint: 'Leave out NUL characters and unpaired surrogates.',
      cause: error,
    });
  }
  return error;
}

/** Errors that node-postgres and its pool raise themselves carry no SQLSTATE; they are told apart by system code or wording. */
function fromConnection(error: Error): unknown {
  if (error.message === 'timeout exceeded when trying to connect') {
    return busy('all database connections are in use', error);
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const lost =
    /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|ENOENT)/.test(code) ||
    /Connection terminated|connection error and is not queryable|Client was closed|after calling end|PGlite is clos|SSL/i.test(
      error.message,
    );
  return lost ? unavailable('the database cannot be reached', error) : error;
}

function busy(message: string, cause: Error): VoicegateError {
  return new VoicegateError('busy', message, { hint: 'Try again in a moment.', retryAfterSeconds: 1, cause });
}

function unavailable(message: string, cause: Error): VoicegateError {
  return new VoicegateError('database_unavailable', message, {
    hint: 'Check that the database runs and that DATABASE_URL names it; the next request connects anew.',
    retryAfterSeconds: 5,
    cause,
  });
}
