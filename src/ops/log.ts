import { pino, type Logger } from 'pino';

export type { Logger };

/**
 * The process's log: JSON lines on standard output. Only named facts are logged (codes, ids, counts, durations);
 * request and answer bodies never are. The list below is the second lock: if somebody logs such a field by mistake, its value is removed.
 */
const secretFields = [
  'pin',
  'digits',
  'prompt',
  'prompts',
  'audio',
  'samples',
  'vector',
  'embedding',
  'secret',
  'apiKey',
  'authorization',
  'cookie',
];

/** Creates the log at a level; `destination` is for tests. */
export function createLog(level: string, destination?: NodeJS.WritableStream): Logger {
  const paths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `req.headers.${field}`]);
  const options = { level, base: null, redact: { paths, remove: true } };
  return destination === undefined ? pino(options) : pino(options, destination);
}
