import type { IncomingMessage } from 'node:http';
import { addressParts, authorityOf, tokenIn } from './addresses.js';
import { AudioHookConnection, type AudioHookPlace } from './audiohook-connection.js';
import { AudioHookGuard, type AudioHookKey, type Signer } from './audiohook-guard.js';
import { KeptCalls } from './audiohook-kept.js';
import type { OnFault } from './door-call.js';
import type { LiveCalls } from './session-io.js';
import { WaitingRoom } from './waiting-room.js';
import type { Peer, PeerHandler, WsDoor } from './ws-doors.js';

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
  readonly keptCalls = new KeptCalls();
  private readonly guard: AudioHookGuard;
  private readonly signers = new WeakMap<IncomingMessage, Signer>();

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
}

const headerOf = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '');
