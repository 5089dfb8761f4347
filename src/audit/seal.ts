import { createHmac } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import type { AuditEntry, AuditEvent } from './entry.js';
import type { AuditKeys } from './keys.js';

/** What stands before the first entry. */
export const firstSeal = '0'.repeat(64);

/**
 * Makes the entry that follows `previousSeal`. The seal is HMAC-SHA-256 over the canonical JSON of tenant, seq, time, event and the
 * seal before, so that no entry can be altered, moved, or taken to another tenant without the key.
 * @param previousSeal hex seal of entry seq - 1, `firstSeal` for seq 1
 * @param seq 1, 2, 3 …
 * @throws RangeError for a seq that is no positive integer; TypeError for an event that JSON cannot carry
 */
export function sealEntry(
  keys: AuditKeys,
  tenantId: string,
  previousSeal: string,
  seq: number,
  at: Date,
  event: AuditEvent,
): AuditEntry {
  if (!Number.isSafeInteger(seq) || seq < 1) throw new RangeError(`seq ${seq} is not a positive integer`);
  const content = canonicalJson({ format: 1, tenantId, seq, at: at.toISOString(), event, previousSeal });
  return { seq, at, event, seal: createHmac('sha256', keys.sealKey).update(content).digest('hex') };
}
