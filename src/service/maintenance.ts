import type { KeyContext } from './context.js';
import { sessionIdleMs } from './sessions.js';

/** How long finished things are kept, ms. Challenges keep the newest five of an account beyond this, see ChallengeTable. */
const keptMs = {
  challenges: 3_600_000,
  idempotency: 86_400_000,
  velocity: 86_400_000,
  unknownAttempts: 86_400_000,
  streams: 86_400_000,
  sessions: sessionIdleMs,
};

/** Removes what has served its time, tenant by tenant. Answers how many rows went. */
export async function tidy(context: KeyContext): Promise<number> {
  let removed = 0;
  for (const { tenantId } of await context.store.listTenants()) {
    removed += await context.store.transaction(tenantId, async (tx) => {
      const nowMs = context.now().getTime();
      const before = (ms: number): Date => new Date(nowMs - ms);
      return (
        (await tx.challenges.purge(before(keptMs.challenges))) +
        (await tx.idempotency.purge(before(keptMs.idempotency))) +
        (await tx.velocity.purge(before(keptMs.velocity))) +
        (await tx.sessions.purge(before(keptMs.sessions))) +
        (await tx.streams.purge(before(keptMs.streams))) +
        (await tx.attempts.purgeUnknown(before(keptMs.unknownAttempts)))
      );
    });
  }
  return removed;
}
