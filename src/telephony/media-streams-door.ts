import type { IncomingMessage } from 'node:http';
import { addressParts, tokenIn } from './addresses.js';
import { DoorCall, type DoorSide } from './door-call.js';
import { longestGapSeconds } from './leg-decoder.js';
import { MediaOrder, type MediaPacket, type OrderedMedia } from './media-order.js';
import { readStreamMessage, type StreamMessage, type Track } from './media-streams-messages.js';
import { refusalOf, type ClosedReason, type LiveCalls, type MediaFormat, type Refusal } from './session-io.js';
import { endedCloseCode, isGoodbye, refusedCloseCode, type Peer, type PeerHandler, type WsDoor } from './ws-doors.js';

/**
 * Twilio Media Streams, and Telnyx's variant of it: JSON in text frames, each track in messages of its own
 * (https://www.twilio.com/docs/voice/media-streams/websocket-messages,
 * https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket). Neither has a message that could carry a verdict, and Twilio
 * takes a message it does not know for a fault of the stream: nothing is sent. The verdict goes out as an event, and then the connection is closed.
 */
export class MediaStreamsDoor implements WsDoor {
  readonly subprotocols = [];

  /** @param isAuthentic looks at the upgrade request; null: the token in the address is all the proof that there is */
  constructor(
    private readonly calls: LiveCalls,
    private readonly protocol: 'twilio' | 'telnyx',
    private readonly isAuthentic: ((request: IncomingMessage) => boolean) | null,
  ) {}

  matches(pathname: string): boolean {
    return tokenIn(this.protocol, pathname) !== null;
  }

  async refuses(request: IncomingMessage): Promise<number | null> {
    if (this.isAuthentic?.(request) === false) return 403;
    const token = tokenIn(this.protocol, addressParts(request).pathname);
    // Without one in the address it comes as a parameter of the stream.
    return token === '' || (await this.calls.awaits(this.protocol, token ?? '')) ? null : 404;
  }

  open(peer: Peer, request: IncomingMessage): PeerHandler {
    const { pathname, query } = addressParts(request);
    return new MediaStreamsConnection(this.calls, this.protocol, peer, tokenIn(this.protocol, pathname) ?? '', query);
  }
}

class MediaStreamsConnection implements PeerHandler, DoorSide {
  private readonly call: DoorCall;
  private customerTrack: Track = 'inbound';
  private orders: Readonly<Record<Track, MediaOrder>> | null = null;
  private broken: Refusal | null = null;
  private readonly began = { customer: false, agent: false };
  /** By the clock of the stream; null: it has none. */
  private customerBeganMs: number | null = null;

  constructor(
    calls: LiveCalls,
    protocol: 'twilio' | 'telnyx',
    private readonly peer: Peer,
    private readonly token: string,
    private readonly query: URLSearchParams,
  ) {
    this.call = new DoorCall(calls, protocol, peer, this);
  }

  onText(text: string): void {
    if (this.call.over) return;
    try {
      this.take(readStreamMessage(text, this.query));
    } catch (fault) {
      this.breakOff(refusalOf(fault));
    }
  }

  onBytes(): void {
    this.breakOff(invalid('a binary frame: this protocol has text frames only'));
  }

  onGone(code: number): void {
    if (isGoodbye(code)) this.end();
    this.call.leave();
  }

  onOpened(): void {
    // The protocol has no answer.
  }

  onOutput(): void {
    // Nor has it results.
  }

  onClosed(reason: ClosedReason): void {
    if (this.broken !== null) this.onRefused(this.broken);
    else this.peer.close(endedCloseCode(reason), reason);
  }

  onRefused(refusal: Refusal): void {
    this.peer.close(refusedCloseCode(refusal), refusal.code);
  }

  private take(message: StreamMessage): void {
    switch (message.event) {
      case 'start':
        this.start(message);
        break;
      case 'media':
        this.hear(message.track, message.packet);
        break;
      case 'dtmf':
        if (this.orders !== null) this.call.accept({ kind: 'dtmf', digit: message.digit });
        break;
      case 'stop':
        this.end();
        break;
      case 'other':
        break;
    }
  }

  private start({ format, tracks, parameters }: Extract<StreamMessage, { event: 'start' }>): void {
    if (this.orders !== null) return this.breakOff(invalid('a second start'));
    this.customerTrack = parameters.customerTrack ?? 'inbound';
    const bytesPerSecond = format.sampleRateHz * (format.encoding.startsWith('l16') ? 2 : 1);
    this.orders = { inbound: new MediaOrder(bytesPerSecond), outbound: new MediaOrder(bytesPerSecond) };
    const media: MediaFormat = {
      ...format,
      channels: (tracks ?? ['inbound', 'outbound']).map((track) => this.legOf(track)),
    };
    if (!media.channels.includes('customer')) {
      return this.breakOff({
        code: 'audio_channel_invalid',
        title: `the stream has no ${this.customerTrack} track, which is the customer's`,
        hint: 'Stream that track or both, or name the other as customerTrack',
      });
    }
    void this.call.open({ token: this.token === '' ? (parameters.token ?? '') : this.token }, media);
  }

  /** The peer broke the protocol. It does not come back: a call that was taken ends here, without a verdict. */
  private breakOff(refusal: Refusal): void {
    if (!this.call.begun) return this.call.refuse(refusal);
    this.broken = refusal;
    this.call.accept({ kind: 'fault', title: refusal.title });
  }

  private hear(track: Track, packet: MediaPacket): void {
    if (this.orders === null) return this.breakOff(invalid('media before the start'));
    this.pass(track, this.orders[track].accept(packet));
  }

  private end(): void {
    if (this.orders === null) return;
    for (const track of ['inbound', 'outbound'] as const) this.pass(track, this.orders[track].finish());
    this.call.accept({ kind: 'end' });
  }

  private pass(track: Track, ordered: readonly OrderedMedia[]): void {
    const leg = this.legOf(track);
    for (const part of ordered) {
      if (part.kind === 'audio') this.place(leg, part);
      else if (this.began[leg]) this.call.accept({ ...part, leg });
    }
  }

  /** A track may begin long after the other, when the other party answers: the legs begin with the customer's, and the agent's in its place beside it. */
  private place(
    leg: 'customer' | 'agent',
    { bytes, timestampMs }: { readonly bytes: Uint8Array; readonly timestampMs: number | null },
  ): void {
    // Says that the peer lives.
    if (leg === 'agent' && !this.began.customer) return this.call.accept({ kind: 'audio', bytes: nothing, leg });
    if (!this.began[leg]) {
      this.began[leg] = true;
      if (leg === 'customer') this.customerBeganMs = timestampMs;
      else this.skipAgent(((timestampMs ?? 0) - (this.customerBeganMs ?? timestampMs ?? 0)) / 1000);
    }
    this.call.accept({ kind: 'audio', bytes, leg });
  }

  private skipAgent(seconds: number): void {
    for (let left = Math.min(seconds, mostSkippedSeconds); left > 0; left -= longestGapSeconds) {
      this.call.accept({ kind: 'gap', seconds: Math.min(left, longestGapSeconds), leg: 'agent' });
    }
  }

  private legOf(track: Track): 'customer' | 'agent' {
    return track === this.customerTrack ? 'customer' : 'agent';
  }
}

const nothing = new Uint8Array(0);
/** No timestamp is believed that lies further off. */
const mostSkippedSeconds = 3600;

const invalid = (title: string): Refusal => ({ code: 'invalid_request', title, hint: null });
