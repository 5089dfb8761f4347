import type { ServiceContext } from './context.js';
import { leaseMs, type OpenedCall } from './open-call.js';
import type { StreamOutcome, StreamRow } from './ports.js';

/** The outcome of a call of which no verdict was made. @param cause for people: `lost`, `failed`, `shutting_down` … */
function noVerdict(cause: string): StreamOutcome {
  const restarted = cause === 'shutting_down' || cause === 'node_lost';
  return { kind: 'none', decision: 'INCONCLUSIVE', reasons: restarted ? ['SERVICE_RESTARTED'] : [], cause };
}

/** Ends a call without a verdict. A verdict that was made at the last moment stands. */
export async function endStream(context: ServiceContext, { caller, row }: OpenedCall, cause: string): Promise<void> {
  await context.store.transaction(caller.tenantId, (tx) =>
    tx.streams.end(row.streamId, noVerdict(cause), context.now()),
  );
}

/** Marks an enrolment's call with the print that came of it. */
export async function endEnrolmentStream(
  context: ServiceContext,
  { caller, row }: OpenedCall,
  voiceprintId: string,
): Promise<void> {
  await context.store.transaction(caller.tenantId, (tx) =>
    tx.streams.end(row.streamId, { kind: 'enrolled', voiceprintId }, context.now()),
  );
}

/**
 * Renews the leases of the calls this node hears, then ends those of nodes that have not been heard of: a restart in mid-call leaves one clear
 * outcome, INCONCLUSIVE with SERVICE_RESTARTED.
 * @param own stream ids by tenant
 */
export async function interruptLostStreams(
  context: ServiceContext,
  own: ReadonlyMap<string, readonly string[]>,
  onInterrupted: (row: StreamRow) => void,
): Promise<void> {
  for (const { tenantId } of await context.store.listTenants()) {
    const rows = await context.store.transaction(tenantId, async (tx) => {
      const now = context.now();
      const ids = own.get(tenantId) ?? [];
      if (ids.length > 0) await tx.streams.renew(ids, new Date(now.getTime() + leaseMs));
      return tx.streams.interrupt(noVerdict('node_lost'), now);
    });
    for (const row of rows) onInterrupted(row);
  }
}
