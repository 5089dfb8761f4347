import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { VoicegateError } from '../errors.js';

/** What is derived from the one audit secret: the key of the seals and the key pair of the signed heads. */
export interface AuditKeys {
  /** 32 bytes, HMAC-SHA-256 key. */
  readonly sealKey: Uint8Array;
  /** Ed25519. */
  readonly headPrivateKey: KeyObject;
  /** Ed25519; may be given to anybody, see `headPublicKeyPem`. */
  readonly headPublicKey: KeyObject;
}

const minSecretBytes = 32;
/** PKCS #8 wrapping of a raw Ed25519 seed (RFC 8410, section 7), because node:crypto takes no bare seed. */
const ed25519SeedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Derives the keys with HKDF-SHA-256 (RFC 5869), one label per purpose, so that a leak of one derived key opens no other.
 * @param auditKey the installation's audit secret, at least 32 bytes
 * @throws VoicegateError `configuration_invalid` when the secret is shorter
 */
export function deriveAuditKeys(auditKey: Uint8Array): AuditKeys {
  if (auditKey.length < minSecretBytes) {
    throw new VoicegateError('configuration_invalid', `the audit key has ${auditKey.length} bytes`, {
      hint: `Give at least ${minSecretBytes} random bytes.`,
    });
  }
  const headPrivateKey = createPrivateKey({
    key: Buffer.concat([ed25519SeedPrefix, derive(auditKey, 'voicegate audit head v1')]),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    sealKey: derive(auditKey, 'voicegate audit seal v1'),
    headPrivateKey,
    headPublicKey: createPublicKey(headPrivateKey),
  };
}

/** The public key that signed heads are checked with, as PEM (SPKI), for an auditor who must not hold the secret. */
export function headPublicKeyPem(keys: AuditKeys): string {
  return keys.headPublicKey.export({ format: 'pem', type: 'spki' }).toString();
}

function derive(secret: Uint8Array, label: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), label, 32));
}
