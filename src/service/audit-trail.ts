import type { AuditEntry, AuditHead } from '../audit/entry.js';
import type { Caller, ServiceContext } from './context.js';

/** A page of the tenant's audit with its signed head, read in one transaction. */
export async function readAudit(
  context: ServiceContext,
  caller: Caller,
  afterSeq: number,
  limit: number,
): Promise<{ readonly entries: readonly AuditEntry[]; readonly head: AuditHead | null }> {
  return context.store.transaction(caller.tenantId, async (tx) => ({
    entries: await tx.audit.page(afterSeq, limit),
    head: await tx.audit.head(),
  }));
}
