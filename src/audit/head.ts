import { sign, verify, type KeyObject } from 'node:crypto';
import { VoicegateError } from '../errors.js';
import { canonicalJson } from './canonical-json.js';
import type { AuditEntry, AuditHead } from './entry.js';
import type { AuditKeys } from './keys.js';

/** Signs the statement that the tenant's chain has reached `entry` (Ed25519, RFC 8032). */
export function signHead(keys: AuditKeys, tenantId: string, entry: Pick<AuditEntry, 'seq' | 'seal' | 'at'>): AuditHead {
  const unsigned = { tenantId, seq: entry.seq, seal: entry.seal, at: entry.at };
  return { ...unsigned, signature: sign(null, signedContent(unsigned), keys.headPrivateKey).toString('base64') };
}

/** True when the head was signed with the private half of `publicKey` (a key or its PEM) and nothing in it was changed since. */
export function verifyHead(head: AuditHead, publicKey: KeyObject | string): boolean {
  return verify(null, signedContent(head), publicKey, Buffer.from(head.signature, 'base64'));
}

/**
 * Reads a head that was saved with JSON.stringify. The signature is not checked here: see `verifyHead`.
 * @throws VoicegateError `invalid_request` when the text is no head
 */
export function parseHead(text: string): AuditHead {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAHead('is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw notAHead('is not an object');
  const { tenantId, seq, seal, at, signature } = value as Record<string, unknown>;
  if (typeof tenantId !== 'string') throw notAHead('has no tenantId');
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) throw notAHead('has no positive integer seq');
  if (typeof seal !== 'string' || !/^[0-9a-f]{64}$/.test(seal)) throw notAHead('has no seal of 64 hex digits');
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at))) throw notAHead('has no time');
  if (typeof signature !== 'string') throw notAHead('has no signature');
  return { tenantId, seq, seal, at: new Date(at), signature };
}

function signedContent(head: Omit<AuditHead, 'signature'>): Buffer {
  const { tenantId, seq, seal, at } = head;
  return Buffer.from(canonicalJson({ format: 1, tenantId, seq, seal, at: at.toISOString() }));
}

function notAHead(what: string, cause?: unknown): VoicegateError {
  return new VoicegateError('invalid_request', `the head file ${what}`, {
    hint: 'Give the unchanged JSON that the audit head command printed.',
    ...(cause === undefined ? {} : { cause }),
  });
}
