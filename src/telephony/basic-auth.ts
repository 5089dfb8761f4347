import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Said with a refusal by 401. */
export const basicChallenge = 'Basic realm="voicegate"';

/**
 * Whether a request carries the user and password of HTTP basic authentication (RFC 7617).
 * @param wanted `user:password`
 */
export function hasBasicAuth(wanted: string, { headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const given = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  // Of equal length, so that the comparison takes the same time for every guess.
  const hash = (value: Buffer | string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(hash(Buffer.from(given, 'base64')), hash(wanted));
}
