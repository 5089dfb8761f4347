import type { StreamProtocol } from '../service/ports.js';
import type { OnFault } from './door-call.js';
import type { LiveCalls } from './session-io.js';

/** A connection whose call is not registered yet. None of its methods may throw. */
export interface Waiting {
  readonly tenantId: string;
  /** The operator's own id of the call. */
  readonly callId: string;
  /** The call is registered: it is to be opened now. */
  onRegistered(): void;
  /** It was not, in all the time. */
  onWaitedEnough(): void;
}

export interface WaitingLimits {
  /** How often the registrations are looked at, ms. */
  readonly everyMs: number;
  /** How long one waits at most, ms. */
  readonly mostMs: number;
  readonly mostWaiting: number;
}

export const defaultWaitingLimits: WaitingLimits = { everyMs: 1000, mostMs: 1_800_000, mostWaiting: 1000 };

/** Where connections wait that were there before their registration: one question a second for all of a tenant, none while nobody waits. */
export class WaitingRoom {
  /** With the time until which they wait. */
  private readonly waiting = new Map<Waiting, number>();
  private looking = false;

  constructor(
    private readonly calls: Pick<LiveCalls, 'registered'>,
    private readonly protocol: StreamProtocol,
    private readonly onFault: OnFault,
    private readonly limits = defaultWaitingLimits,
  ) {}

  /** @returns false when there is no room */
  enter(one: Waiting): boolean {
    if (this.waiting.size >= this.limits.mostWaiting) return false;
    this.waiting.set(one, performance.now() + this.limits.mostMs);
    this.lookSoon();
    return true;
  }

  leave(one: Waiting): void {
    this.waiting.delete(one);
  }

  private lookSoon(): void {
    if (this.looking || this.waiting.size === 0) return;
    this.looking = true;
    const timer = setTimeout(() => {
      void this.look()
        .catch(({ name, code }: Error & { code?: string }) =>
          this.onFault({ name, ...(code === undefined ? {} : { code }) }),
        )
        .finally(() => {
          this.looking = false;
          this.lookSoon();
        });
    }, this.limits.everyMs);
    // Whoever waits holds a connection, and that holds the process.
    timer.unref();
  }

  private async look(): Promise<void> {
    const tenants = new Map<string, Waiting[]>();
    for (const one of this.waiting.keys()) tenants.set(one.tenantId, [...(tenants.get(one.tenantId) ?? []), one]);
    for (const [tenantId, all] of tenants) {
      const callIds = [...new Set(all.map(({ callId }) => callId))];
      const registered = await this.calls.registered(this.protocol, tenantId, callIds);
      // Who left meanwhile is not called back.
      for (const one of all) if (registered.has(one.callId) && this.waiting.delete(one)) one.onRegistered();
    }
    for (const [one, until] of this.waiting) {
      if (until <= performance.now() && this.waiting.delete(one)) one.onWaitedEnough();
    }
  }
}
