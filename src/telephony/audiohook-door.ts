import type { IncomingMessage } from 'node:http';
import { addressParts, authorityOf, tokenIn } from './addresses.js';
import { AudioHookConnection, type AudioHookPlace, type KeptCall } from './audiohook-connection.js';
import { AudioHookGuard, type AudioHookKey, type Signer } from './audiohook-guard.js';
import type { OnFault } from './door-call.js';
import type { LiveCalls } from './session-io.js';
import { WaitingRoom } from './waiting-room.js';
import type { Peer, PeerHandler, WsDoor } from './ws-doors.js';

/** A session waits this long to be continued, as our calls do, ms. */
const keptMs = 30_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface AudioHookSettings {
  /** By API key. */
  readonly keys: ReadonlyMap<string, AudioHookKey>;
  /** Scheme and host as Genesys names them; null: as the request does. */
  readonly publicUrl: string | null;
}

/** Genesys AudioHook, version 2: signed WebSocket connections, each call found by its conversation or by a token in the address. */
export class AudioHookDoor implements WsDoor, AudioHookPlace {
  readonly subprotocols: readonly string[] = [];
  readonly waitingRoom: WaitingRoom;
  private readonly guard: AudioHookGuard;
  private readonly signers = new WeakMap<IncomingMessage, Signer>();
  /** Calls whose connection is gone, by the session that had them, with the time until which they wait. */
  private readonly kept = new Map<string, { readonly call: KeptCall; readonly until: number }>();

  constructor(
    readonly calls: LiveCalls,
    private readonly settings: AudioHookSettings,
    readonly onFault: OnFault,
  ) {
    this.waitingRoom = new WaitingRoom(calls, 'audiohook', onFault);
    this.guard = new AudioHookGuard(settings.keys, (why) => onFault({ name: `AudioHook: ${why}` }));
  }

  matches(pathname: string): boolean {
    return tokenIn('audiohook', pathname) !== null;
  }

  async refuses(request: IncomingMessage): Promise<number | null> {
    const { headers, url = '/' } = request;
    const authority = authorityOf(request, this.settings.publicUrl);
    const signer = await this.guard.check({ headers, requestTarget: url, authority });
    if (signer === null) return 401;
    if (!uuid.test(headerOf(request, 'audiohook-session-id'))) return 400;
    this.signers.set(request, signer);
    return null;
  }

  open(peer: Peer, request: IncomingMessage): PeerHandler {
    const signer = this.signers.get(request);
    if (signer === undefined) throw new Error('a connection that was not let in');
    return new AudioHookConnection(this, peer, {
      signer,
      organizationId: headerOf(request, 'audiohook-organization-id'),
      sessionId: headerOf(request, 'audiohook-session-id'),
      token: tokenIn('audiohook', addressParts(request).pathname) || null,
    });
  }

  keep(sessionId: string, call: KeptCall): void {
    this.forgetOld();
    this.kept.set(sessionId, { call, until: performance.now() + keptMs });
  }

  takeKept(sessionId: string): KeptCall | null {
    this.forgetOld();
    const found = this.kept.get(sessionId)?.call ?? null;
    this.kept.delete(sessionId);
    return found;
  }

  private forgetOld(): void {
    for (const [sessionId, { until }] of this.kept) if (until <= performance.now()) this.kept.delete(sessionId);
  }
}

const headerOf = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '');
