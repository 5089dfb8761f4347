import { randomUUID, timingSafeEqual } from 'node:crypto';
import { VoicegateError } from '../errors.js';
import type { ServiceContext } from '../service/context.js';
import { openTask } from '../service/live-task.js';
import {
  isAwaited,
  leaseMs,
  openCall,
  registeredCalls,
  type OpenedCall,
  type OwnCallId,
} from '../service/open-call.js';
import type { StreamProtocol } from '../service/ports.js';
import { sha256OfToken } from '../service/stream-token.js';
import { endStream, interruptLostStreams } from '../service/stream-ends.js';
import { CallSession, defaultLimits, type SessionLimits, type Timers } from './call-session.js';
import type { EventHub } from './event-hub.js';
import type { ClosedReason, LiveCall, LiveCalls, SessionOutput, Sink } from './session-io.js';

export interface LiveCallsOptions {
  /** Calls at once; one more is refused with `busy`, those that are there are left alone. */
  readonly mostCalls: number;
  readonly hub: EventHub;
  readonly limits?: SessionLimits;
  readonly timers?: Timers;
  /** Told of faults that no caller can act on. */
  readonly onFault: (fault: unknown) => void;
}

/** mod_audio_stream connects again by itself where its WebSocket library does (its variable STREAM_NO_RECONNECT), and has no place for a resume token. */
const comesBackToItsAddress: StreamProtocol = 'freeswitch';

const stoppingFault = (): VoicegateError =>
  new VoicegateError('shutting_down', 'The service is stopping', { retryAfterSeconds: 5 });

const realTimers: Timers = {
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** The calls that this node hears: opened by doors, told to the hub, ended with one outcome each in the store. */
export class LiveCallRegistry implements LiveCalls {
  private readonly calls = new Map<string, { readonly session: CallSession; readonly call: OpenedCall }>();
  private readonly endings = new Set<Promise<unknown>>();
  private readonly openings = new Set<Promise<OpenedCall>>();
  private stopping = false;
  private readonly timers: Timers;
  private cancelRenewal: () => void = () => undefined;

  constructor(
    private readonly context: ServiceContext,
    private readonly options: LiveCallsOptions,
  ) {
    this.timers = options.timers ?? realTimers;
    this.scheduleRenewal();
  }

  get count(): number {
    return this.calls.size;
  }

  /** Of `count`, those whose connection broke and that wait for their peers. */
  get leftCount(): number {
    return [...this.calls.values()].filter(({ session }) => session.isLeft).length;
  }

  /** @throws VoicegateError `busy`, `shutting_down` when no call can be taken now */
  checkRoom(): void {
    if (this.stopping) throw stoppingFault();
    if (this.calls.size + this.openings.size < this.options.mostCalls) return;
    throw new VoicegateError('busy', `${this.calls.size} calls are being heard, as many as this node takes`, {
      hint: 'Try again, on another node if there is one',
      retryAfterSeconds: 5,
    });
  }

  async awaits(protocol: StreamProtocol, token: string): Promise<boolean> {
    return this.leftBy(protocol, token) !== null || isAwaited(this.context, protocol, token);
  }

  async open(protocol: StreamProtocol, name: string | OwnCallId, sink: Sink): Promise<LiveCall> {
    const left = typeof name === 'string' ? this.leftBy(protocol, name) : null;
    if (left?.attach(sink)) return left;
    this.checkRoom();
    const opening = openCall(this.context, protocol, name);
    this.openings.add(opening);
    try {
      const call = await opening;
      if (!this.stopping) return this.begin(call, sink);
      this.settle(call, 'shutting_down');
      throw stoppingFault();
    } finally {
      this.openings.delete(opening);
    }
  }

  registered(protocol: StreamProtocol, tenantId: string, callIds: readonly string[]): Promise<ReadonlySet<string>> {
    return registeredCalls(this.context, protocol, tenantId, callIds);
  }

  resume(protocol: StreamProtocol, resumeToken: string, sink: Sink): LiveCall {
    for (const { session } of this.calls.values()) {
      if (session.resumeToken === resumeToken && session.terms.protocol === protocol && session.attach(sink)) {
        return session;
      }
    }
    throw new VoicegateError('stream_unknown', 'There is no broken call to go on with under this resume token', {
      hint: 'Register a new stream; calls are kept for half a minute, by the node that had them',
    });
  }

  /** Ends every call without a verdict and waits until the store knows. */
  async close(): Promise<void> {
    this.stopping = true;
    this.cancelRenewal();
    for (const { session } of [...this.calls.values()]) session.interrupt();
    // Those that are being taken at this moment end as well.
    await Promise.allSettled([...this.openings]);
    await Promise.allSettled([...this.endings]);
  }

  /** The call of a peer that knows only its first address, if its connection broke. */
  private leftBy(protocol: StreamProtocol, token: string): CallSession | null {
    if (protocol !== comesBackToItsAddress) return null;
    const hash = sha256OfToken(token);
    for (const { session, call } of this.calls.values()) {
      if (session.isLeft && timingSafeEqual(call.row.tokenSha256, hash)) return session;
    }
    return null;
  }

  private begin(call: OpenedCall, sink: Sink): CallSession {
    const { streamId, terms } = call.row;
    const session: CallSession = new CallSession({
      streamId,
      resumeToken: randomUUID(),
      terms,
      answer: call.caller.answer,
      task: openTask(this.context, call),
      sampleRateHz: this.context.liveEars.sampleRateHz,
      timers: this.timers,
      limits: this.options.limits ?? defaultLimits,
      sink,
      onOutput: (output) => this.told(call, output),
    });
    this.calls.set(streamId, { session, call });
    return session;
  }

  private told(call: OpenedCall, output: SessionOutput): void {
    this.options.hub.publish(call, output);
    if (output.kind !== 'closed') return;
    this.calls.delete(call.row.streamId);
    if (output.reason !== 'completed') this.settle(call, output.reason);
  }

  /** A call that ended without a verdict: what waits for one is told INCONCLUSIVE. */
  private settle(call: OpenedCall, reason: ClosedReason): void {
    const ending = endStream(this.context, call, reason).catch(this.options.onFault);
    this.endings.add(ending);
    void ending.finally(() => this.endings.delete(ending));
  }

  /** Says that this node lives, and ends the calls of nodes that do not. */
  private scheduleRenewal(): void {
    this.cancelRenewal = this.timers.after(leaseMs / 3, () => {
      void this.renew()
        .catch(this.options.onFault)
        .finally(() => this.stopping || this.scheduleRenewal());
    });
  }

  private async renew(): Promise<void> {
    const own = new Map<string, string[]>();
    for (const { call } of this.calls.values()) {
      own.set(call.caller.tenantId, [...(own.get(call.caller.tenantId) ?? []), call.row.streamId]);
    }
    await interruptLostStreams(this.context, own, (row) => this.options.hub.publishEnd(row));
  }
}
