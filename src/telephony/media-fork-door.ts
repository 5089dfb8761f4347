import type { IncomingMessage } from 'node:http';
import { addressParts, tokenIn } from './addresses.js';
import { basicChallenge, hasBasicAuth } from './basic-auth.js';
import { DoorCall, type DoorSide } from './door-call.js';
import { forkFormat } from './media-fork-format.js';
import type { OutputView } from './output-view.js';
import { refusalOf, type ClosedReason, type LiveCalls, type Refusal, type SessionInput } from './session-io.js';
import { endedCloseCode, isGoodbye, refusedCloseCode, type Peer, type PeerHandler, type WsDoor } from './ws-doors.js';

const subprotocolOf = { freeswitch: 'audio.drachtio.org', jambonz: 'audio.jambonz.org' } as const;

/**
 * Media servers that fork a call's audio: FreeSWITCH's mod_audio_fork (sub-protocol `audio.drachtio.org`) and mod_audio_stream (none), and jambonz `listen`
 * (`audio.jambonz.org`). First a text frame of metadata, if the operator gave any, then 16-bit little-endian audio in binary frames; further text frames are
 * what the operator sends along (https://github.com/drachtio/drachtio-freeswitch-modules, https://github.com/amigniter/mod_audio_stream,
 * https://docs.jambonz.org/verbs/verbs/listen).
 */
export class MediaForkDoor implements WsDoor {
  readonly subprotocols: readonly string[];
  readonly challenge = basicChallenge;

  /** @param basicAuth `user:password`; null: the token in the address is all the proof that there is */
  constructor(
    private readonly calls: LiveCalls,
    private readonly protocol: 'freeswitch' | 'jambonz',
    private readonly basicAuth: string | null,
  ) {
    this.subprotocols = [subprotocolOf[protocol]];
  }

  matches(pathname: string): boolean {
    return tokenIn(this.protocol, pathname) !== null;
  }

  async refuses(request: IncomingMessage): Promise<number | null> {
    if (this.basicAuth !== null && !hasBasicAuth(this.basicAuth, request)) return 401;
    const token = tokenIn(this.protocol, addressParts(request).pathname) ?? '';
    // Before the upgrade: mod_audio_stream takes this for a failure and stops, a connection that is closed it makes again.
    return (await this.calls.awaits(this.protocol, token)) ? null : 404;
  }

  open(peer: Peer, request: IncomingMessage): PeerHandler {
    const { pathname, query } = addressParts(request);
    const wraps = request.headers['sec-websocket-protocol'] !== undefined;
    return new MediaForkConnection(
      this.calls,
      this.protocol,
      peer,
      tokenIn(this.protocol, pathname) ?? '',
      query,
      wraps,
    );
  }
}

class MediaForkConnection implements PeerHandler, DoorSide {
  private readonly call: DoorCall;

  /** @param wraps mod_audio_fork relays `data` of messages of type `json`; mod_audio_stream relays all that it gets */
  constructor(
    calls: LiveCalls,
    protocol: 'freeswitch' | 'jambonz',
    private readonly peer: Peer,
    private readonly token: string,
    private readonly query: URLSearchParams,
    private readonly wraps: boolean,
  ) {
    this.call = new DoorCall(calls, protocol, peer, this);
  }

  onText(text: string): void {
    if (this.call.over) return;
    const told = objectIn(text);
    if (!this.call.begun) return this.begin(told);
    const input = inputOf(told);
    if (input !== null) this.call.accept(input);
  }

  onBytes(bytes: Uint8Array): void {
    if (this.call.over) return;
    if (!this.call.begun) this.begin({});
    // mod_audio_fork's graceful shutdown: an empty frame, and then it waits for results.
    this.call.accept(bytes.length === 0 ? { kind: 'end' } : { kind: 'audio', bytes });
  }

  onGone(code: number): void {
    // These protocols have no other end than a goodbye.
    if (isGoodbye(code) && this.call.begun) this.call.accept({ kind: 'end' });
    this.call.leave();
  }

  onOpened(): void {
    // The protocols have no answer.
  }

  onOutput(view: OutputView): void {
    // Each message becomes an event in the media server: progress is for screens.
    if (view.type !== 'progress') this.tell(view);
  }

  onClosed(reason: ClosedReason): void {
    this.sayGoodbye(reason);
    this.peer.close(endedCloseCode(reason), reason);
  }

  onRefused(refusal: Refusal): void {
    this.tell({ type: 'error', ...refusal });
    this.sayGoodbye(refusal.code);
    this.peer.close(refusedCloseCode(refusal), refusal.code);
  }

  private begin(metadata: Readonly<Record<string, unknown>>): void {
    try {
      void this.call.open({ token: this.token }, forkFormat(this.query, metadata));
    } catch (fault) {
      this.call.refuse(refusalOf(fault));
    }
  }

  private tell(message: OutputView): void {
    this.peer.send(this.wraps ? { type: 'json', data: message } : message);
  }

  private sayGoodbye(reason: string): void {
    if (this.wraps) this.peer.send({ type: 'disconnect', data: { reason } });
  }
}

/** The JSON object in a text frame; empty where there is none: metadata is whatever the operator likes. */
function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

/** What a text frame in the middle of a call means; null: something of the operator's own. `dtmf` is jambonz's, the others are ours for `send_text`. */
function inputOf({ event, dtmf }: Readonly<Record<string, unknown>>): SessionInput | null {
  switch (event) {
    case 'dtmf':
      return typeof dtmf === 'string' && /^[0-9A-Da-d*#]$/.test(dtmf)
        ? { kind: 'dtmf', digit: dtmf.toUpperCase() }
        : null;
    case 'pause':
    case 'resume':
    case 'end':
      return { kind: event };
    default:
      return null;
  }
}
