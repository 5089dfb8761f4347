import { readFileSync } from 'node:fs';
import { verifyChain, type ChainReport } from '../audit/chain.js';
import type { AuditEntry, AuditHead } from '../audit/entry.js';
import { parseHead, verifyHead } from '../audit/head.js';
import { deriveAuditKeys, headPublicKeyPem } from '../audit/keys.js';
import { VoicegateError } from '../errors.js';
import type { Store } from '../service/ports.js';

const pageEntries = 1000;

/**
 * Checks a tenant's whole chain against the head in the database and, when given, a head that was kept elsewhere.
 * Works on a live database: what is appended meanwhile is checked too.
 * @param headFile path of a head as `currentHead` gave it, JSON
 * @throws VoicegateError `not_found` for an unknown tenant, `invalid_request` for a file that holds no head
 */
export async function verifyAudit(
  store: Store,
  auditKey: Uint8Array,
  tenantId: string,
  headFile?: string,
): Promise<ChainReport> {
  const before = await currentHead(store, tenantId);
  const outside = headFile === undefined ? null : readHead(headFile);
  const heads = [before, outside].filter((head) => head !== null);
  const report = await verifyChain(allEntries(store, tenantId), deriveAuditKeys(auditKey), tenantId, heads);
  if (!report.ok) return report;
  // Entry and head are written together, so a head read after the entries cannot be behind them.
  const after = await currentHead(store, tenantId);
  if ((after?.seq ?? 0) >= report.lastSeq) return report;
  const message = `the stored head stands at ${after?.seq ?? 0}, the chain at ${report.lastSeq}`;
  return { ok: false, entries: report.entries, seq: report.lastSeq, problem: 'head_mismatch', message };
}

/**
 * The signed head as it stands, null before the first entry. Saved outside the database (JSON.stringify) it shows a cut tail later.
 * @throws VoicegateError `not_found` for an unknown tenant
 */
export async function currentHead(store: Store, tenantId: string): Promise<AuditHead | null> {
  const head = await store.transaction(tenantId, (tx) => tx.audit.head());
  if (head !== null) return head;
  if ((await store.listTenants()).some((tenant) => tenant.tenantId === tenantId)) return null;
  throw new VoicegateError('not_found', `there is no tenant ${tenantId}`, { hint: 'List the tenants.' });
}

/** The key an auditor needs for `headFileIsGenuine`, PEM. Derived from the audit secret, not secret itself. */
export function auditPublicKey(auditKey: Uint8Array): string {
  return headPublicKeyPem(deriveAuditKeys(auditKey));
}

/**
 * Whether a saved head was signed by the installation whose public key this is: no secret and no database needed.
 * @throws VoicegateError `invalid_request` for a file that holds no head
 */
export function headFileIsGenuine(headFile: string, publicKeyPem: string): boolean {
  return verifyHead(readHead(headFile), publicKeyPem);
}

async function* allEntries(store: Store, tenantId: string): AsyncGenerator<AuditEntry> {
  let afterSeq = 0;
  for (;;) {
    const page = await store.transaction(tenantId, (tx) => tx.audit.page(afterSeq, pageEntries));
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    afterSeq = last.seq;
  }
}

function readHead(headFile: string): AuditHead {
  let text: string;
  try {
    text = readFileSync(headFile, 'utf8');
  } catch (cause) {
    throw new VoicegateError('invalid_request', `the head file ${headFile} cannot be read`, { cause });
  }
  return parseHead(text);
}
