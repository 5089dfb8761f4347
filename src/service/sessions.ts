import { createHash, randomBytes } from 'node:crypto';
import { VoicegateError } from '../errors.js';
import { authenticate, callerOfKey } from './api-keys.js';
import { actorOf, type Caller, type KeyContext } from './context.js';
import type { SessionRow } from './ports.js';

/** A session ends when its page asked for nothing this long, ms. */
export const sessionIdleMs = 30 * 60_000;
/** And in any case after a shift, ms. */
export const sessionMaxMs = 8 * 3_600_000;
/** How exactly it is kept when a page last asked, ms. */
const seenEveryMs = 60_000;

/** A page that has signed in. */
export interface Session {
  readonly caller: Caller;
  /** Ends then, whatever the page does. */
  readonly expiresAt: Date;
}

/** A fresh session. `token` is told this once; what is kept is its hash. */
export interface NewSession extends Session {
  readonly token: string;
}

/**
 * Signs a page in. The session has a token of its own making, never one that the page sent, and the one that the page had before ends.
 * @param formerToken of the session that the page had, null: none
 * @throws VoicegateError `unauthenticated` for a key that is malformed, unknown, wrong or revoked
 */
export async function signIn(context: KeyContext, apiKey: string, formerToken: string | null): Promise<NewSession> {
  const caller = await authenticate(context.store, apiKey);
  if (caller === null || caller.apiKeyId === null) {
    throw new VoicegateError('unauthenticated', 'This is no valid API key', { hint: 'Keys look like vg_…' });
  }
  if (formerToken !== null) await signOut(context, formerToken);
  const token = randomBytes(32).toString('base64url');
  const now = context.now();
  const row = { tokenSha256: sha256(token), keyId: caller.apiKeyId, createdAt: now, seenAt: now };
  await context.store.transaction(caller.tenantId, async (tx) => {
    await tx.sessions.insert(row);
    await tx.audit.append({ kind: 'signed_in', by: actorOf(caller) }, now);
  });
  return { token, caller, expiresAt: endOf(row) };
}

/**
 * The session of a token, with the key's roles as they are now; null when it was never made, is over, or its key was revoked. Notes that the
 * page was seen.
 */
export async function findSession(context: KeyContext, token: string): Promise<Session | null> {
  const tokenSha256 = sha256(token);
  const found = await context.store.findSession(tokenSha256);
  if (found === null || found.key.revokedAt !== null) return null;
  const { session, key } = found;
  const now = context.now();
  const unseenMs = now.getTime() - session.seenAt.getTime();
  if (unseenMs >= sessionIdleMs || now >= endOf(session)) return null;
  if (unseenMs >= seenEveryMs) {
    await context.store.transaction(key.tenantId, (tx) => tx.sessions.seen(tokenSha256, now));
  }
  return { caller: callerOfKey(key), expiresAt: endOf(session) };
}

/** Ends a session on every node; one that is over already stays so. */
export async function signOut(context: KeyContext, token: string): Promise<void> {
  const tokenSha256 = sha256(token);
  const found = await context.store.findSession(tokenSha256);
  if (found === null) return;
  const caller = callerOfKey(found.key);
  await context.store.transaction(caller.tenantId, async (tx) => {
    if (!(await tx.sessions.remove(tokenSha256))) return;
    await tx.audit.append({ kind: 'signed_out', by: actorOf(caller) }, context.now());
  });
}

const endOf = ({ createdAt }: SessionRow): Date => new Date(createdAt.getTime() + sessionMaxMs);

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
