import type { AuditEntry, AuditHead } from './entry.js';
import { verifyHead } from './head.js';
import type { AuditKeys } from './keys.js';
import { firstSeal, sealEntry } from './seal.js';

/**
 * What is wrong at the first broken place. `altered`: the entry, or the one its seal was made after, is not what was sealed.
 * `gap`: entries are missing before it. `reordered`: its number was passed already. `cut_tail`: a head says the chain was longer.
 * `head_forged`: a head's signature is not ours. `head_mismatch`: a head names another entry at its place, or another tenant.
 */
export type ChainProblem = 'altered' | 'gap' | 'reordered' | 'cut_tail' | 'head_forged' | 'head_mismatch';

export type ChainReport =
  | { readonly ok: true; readonly entries: number; readonly lastSeq: number }
  | {
      readonly ok: false;
      /** Entries found sound before the broken place. */
      readonly entries: number;
      /** The place: the number that was expected there, or that the head names. */
      readonly seq: number;
      readonly problem: ChainProblem;
      readonly message: string;
    };

/**
 * Checks a tenant's whole chain in one pass, holding one entry at a time.
 * @param entries from seq 1 upwards, in the order of the database
 * @param heads statements the chain must agree with: the stored head (read it before the entries, for the chain may grow meanwhile)
 *   and any that were kept outside the database, which alone show a tail that was cut together with the stored head
 */
export async function verifyChain(
  entries: AsyncIterable<AuditEntry> | Iterable<AuditEntry>,
  keys: AuditKeys,
  tenantId: string,
  heads: readonly AuditHead[] = [],
): Promise<ChainReport> {
  for (const head of heads) {
    if (!verifyHead(head, keys.headPublicKey))
      return broken(0, head.seq, 'head_forged', 'a head has a false signature');
    if (head.tenantId !== tenantId) return broken(0, head.seq, 'head_mismatch', 'a head belongs to another tenant');
  }
  let lastSeq = 0;
  let lastSeal = firstSeal;
  for await (const entry of entries) {
    const seq = lastSeq + 1;
    if (entry.seq > seq) return broken(lastSeq, seq, 'gap', `entry ${seq} is missing, ${entry.seq} follows ${lastSeq}`);
    if (entry.seq < seq) return broken(lastSeq, seq, 'reordered', `entry ${entry.seq} comes after ${lastSeq}`);
    if (sealEntry(keys, tenantId, lastSeal, seq, entry.at, entry.event).seal !== entry.seal) {
      return broken(lastSeq, seq, 'altered', `entry ${seq} is not what was sealed`);
    }
    if (heads.some((head) => head.seq === seq && head.seal !== entry.seal)) {
      return broken(lastSeq, seq, 'head_mismatch', `entry ${seq} is not the one that a signed head names`);
    }
    lastSeq = seq;
    lastSeal = entry.seal;
  }
  const furthest = Math.max(0, ...heads.map((head) => head.seq));
  if (furthest > lastSeq) {
    const message = `the chain ends at ${lastSeq}, a signed head says it had reached ${furthest}`;
    return broken(lastSeq, lastSeq + 1, 'cut_tail', message);
  }
  return { ok: true, entries: lastSeq, lastSeq };
}

function broken(entries: number, seq: number, problem: ChainProblem, message: string): ChainReport {
  return { ok: false, entries, seq, problem, message };
}
