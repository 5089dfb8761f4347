import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { keyedHash } from '../ops/secrets.js';
import type { Caller, ServiceContext } from '../service/context.js';

/** How long a caller may take for one step, ms: longer than any challenge's default life. */
const validMs = 300_000;
const ivBytes = 12;
const tagBytes = 16;

/**
 * Wraps what a dialogue must remember into a token that its documents carry, so that any node can go on with it. AES-256-GCM: nobody reads it, nobody
 * changes it, and it is good for the key that it was made for, for five minutes.
 * @param state JSON data
 * @returns base64url
 */
export function seal(context: ServiceContext, caller: Caller, state: object): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', keyOf(context), iv).setAAD(ownerOf(caller));
  const plain = JSON.stringify({ state, expiresAtMs: context.now().getTime() + validMs });
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** What a token holds; null when it is not one of ours for this key, or too old. */
export function unseal(context: ServiceContext, caller: Caller, token: string): unknown {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length <= ivBytes + tagBytes) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(context), bytes.subarray(0, ivBytes))
      .setAAD(ownerOf(caller))
      .setAuthTag(bytes.subarray(-tagBytes));
    const plain = decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
    const { state, expiresAtMs } = JSON.parse(plain) as { state: unknown; expiresAtMs: number };
    return context.now().getTime() < expiresAtMs ? state : null;
  } catch {
    return null;
  }
}

const keyOf = (context: ServiceContext): Buffer => keyedHash(context.hashKey, 'ivr-state, first form');
const ownerOf = (caller: Caller): Buffer => Buffer.from(JSON.stringify([caller.tenantId, caller.apiKeyId]));
