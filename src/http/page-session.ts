import type { FastifyRequest } from 'fastify';
import { VoicegateError } from '../errors.js';

/**
 * Session cookies (RFC 6265bis): out of reach of scripts, never sent along from another site, gone with the browser. Where pages come by https
 * the prefix `__Host-` keeps other hosts of the domain and plain http from setting one.
 */
const isSecure = (origin: string): boolean => origin.startsWith('https:');
const nameOf = (origin: string): string => (isSecure(origin) ? '__Host-voicegate' : 'voicegate');
const attributesOf = (origin: string): string =>
  `; Path=/; HttpOnly; SameSite=Strict${isSecure(origin) ? '; Secure' : ''}`;

/** The Set-Cookie that begins a session. @param origin of this service, see `originOf` */
export const sessionCookie = (origin: string, token: string): string =>
  `${nameOf(origin)}=${token}${attributesOf(origin)}`;

/** The Set-Cookie that ends it. */
export const endedCookie = (origin: string): string => `${nameOf(origin)}=; Max-Age=0${attributesOf(origin)}`;

/** The token in a request's session cookie; null: there is none, or it is no token. */
export function sessionTokenIn(request: FastifyRequest, origin: string): string | null {
  for (const pair of request.headers.cookie?.split(';') ?? []) {
    const [name, value = ''] = pair.trim().split('=', 2);
    if (name === nameOf(origin)) return /^[A-Za-z0-9_-]{43}$/.test(value) ? value : null;
  }
  return null;
}

/**
 * Makes sure that a request with a cookie, or for one, comes from a page of ours. Browsers say so in Origin, which they send with all that
 * changes something, and in Sec-Fetch-Site (Fetch Metadata). The second lock beside SameSite, which lets neighbours of the same domain through.
 * @throws VoicegateError `forbidden`
 */
export function checkOwnPage(request: FastifyRequest, origin: string): void {
  const { origin: from, 'sec-fetch-site': site } = request.headers;
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  const isOwn = from === origin || (from === undefined && (site === 'same-origin' || !changes));
  // `none`: the address was typed, which only reads.
  const isElsewhere = site !== undefined && site !== 'same-origin' && (changes || site !== 'none');
  if (isOwn && !isElsewhere) return;
  throw new VoicegateError('forbidden', 'This request does not come from a page of this service', {
    hint: `Open the page at ${origin} (behind a proxy VOICEGATE_PUBLIC_URL says where that is); programs send Authorization: Bearer vg_… and no cookie`,
  });
}
