import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { VoicegateError } from '../errors.js';
import { actorOf, type Caller, type KeyContext } from './context.js';
import type { AnswerKind, ApiKeyRow, Role, Store } from './ports.js';

/** A key as lists show it; the secret was shown once, when it was made. */
export type ApiKeyView = Omit<ApiKeyRow, 'secretSha256' | 'tenantId'>;

/** A fresh key. `apiKey` is shown this once and not stored. */
export interface NewApiKey extends ApiKeyView {
  readonly apiKey: string;
}

export interface ApiKeyRequest {
  readonly label: string;
  readonly roles: readonly Role[];
  readonly answer: AnswerKind;
}

/** Makes a key `vg_<keyId>_<secret>` with 256 random bits. */
export async function createApiKey(context: KeyContext, caller: Caller, request: ApiKeyRequest): Promise<NewApiKey> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const { row, apiKey } = draw(caller.tenantId, request, context.now());
    await tx.apiKeys.insert(row);
    await tx.audit.append(
      { kind: 'api_key_created', by: actorOf(caller), keyId: row.keyId, roles: row.roles, answer: row.answer },
      row.createdAt,
    );
    return { ...shown(row), apiKey };
  });
}

/** All keys of the tenant, revoked ones too. */
export async function listApiKeys(context: KeyContext, caller: Caller): Promise<readonly ApiKeyView[]> {
  return context.store.transaction(caller.tenantId, async (tx) => (await tx.apiKeys.list()).map(shown));
}

/** Ends a key at once. @throws VoicegateError `not_found` */
export async function revokeApiKey(context: KeyContext, caller: Caller, keyId: string): Promise<void> {
  await context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    if (!(await tx.apiKeys.revoke(keyId, now))) throw noKey();
    await tx.audit.append({ kind: 'api_key_revoked', by: actorOf(caller), keyId }, now);
  });
}

/** Makes a key with the same label, roles and answer, and ends the old one. @throws VoicegateError `not_found` */
export async function rotateApiKey(context: KeyContext, caller: Caller, keyId: string): Promise<NewApiKey> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const old = (await tx.apiKeys.list()).find((key) => key.keyId === keyId && key.revokedAt === null);
    if (old === undefined || !(await tx.apiKeys.revoke(keyId, now))) throw noKey();
    const { row, apiKey } = draw(caller.tenantId, old, now);
    await tx.apiKeys.insert(row);
    await tx.audit.append({ kind: 'api_key_revoked', by: actorOf(caller), keyId }, now);
    await tx.audit.append(
      { kind: 'api_key_created', by: actorOf(caller), keyId: row.keyId, roles: row.roles, answer: row.answer },
      now,
    );
    return { ...shown(row), apiKey };
  });
}

/** The caller that a key stands for; null when the key is malformed, unknown, wrong or revoked. Compares in constant time. */
export async function authenticate(store: Store, apiKey: string): Promise<Caller | null> {
  const parts = /^vg_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/.exec(apiKey);
  const row = parts?.[1] === undefined ? null : await store.findApiKey(parts[1]);
  if (row === null || !timingSafeEqual(sha256(parts?.[2] ?? ''), row.secretSha256) || row.revokedAt !== null)
    return null;
  return callerOfKey(row);
}

/** The caller that a key stands for, once it is known to be the caller's. */
export function callerOfKey({ tenantId, keyId, roles, answer }: ApiKeyRow): Caller {
  return { tenantId, apiKeyId: keyId, roles, answer };
}

function draw(tenantId: string, request: ApiKeyRequest, createdAt: Date): { row: ApiKeyRow; apiKey: string } {
  const keyId = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const { label, roles, answer } = request;
  const row = { tenantId, keyId, secretSha256: sha256(secret), label, roles, answer, createdAt, revokedAt: null };
  return { row, apiKey: `vg_${keyId}_${secret}` };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

function shown({ keyId, label, roles, answer, createdAt, revokedAt }: ApiKeyRow): ApiKeyView {
  return { keyId, label, roles, answer, createdAt, revokedAt };
}

function noKey(): VoicegateError {
  return new VoicegateError('not_found', 'There is no such key in use', { hint: 'GET /v1/keys lists the keys' });
}
