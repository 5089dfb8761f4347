import type { FastifyRequest } from 'fastify';
import { VoicegateError } from '../errors.js';

/**
 * Reads `application/x-www-form-urlencoded` into an object of texts.
 * @throws VoicegateError `invalid_request` (through `done`) when a field comes twice
 */
export function readUrlencoded(
  _request: FastifyRequest,
  body: string | Buffer,
  done: (fault: Error | null, fields?: unknown) => void,
): void {
  const fields = [...new URLSearchParams(String(body))];
  const names = new Set(fields.map(([name]) => name));
  if (names.size < fields.length) {
    done(new VoicegateError('invalid_request', 'The form has a field twice', { hint: 'Send each field once' }));
  } else done(null, Object.fromEntries(fields));
}
