import type { IncomingMessage } from 'node:http';
import { DoorCall, type DoorSide } from './door-call.js';
import type { OutputView } from './output-view.js';
import { readClientMessage, type ClientMessage } from './own-messages.js';
import type { ClosedReason, LiveCall, LiveCalls, Refusal, SessionInput } from './session-io.js';
import { endedCloseCode, refusedCloseCode, type Peer, type PeerHandler, type WsDoor } from './ws-doors.js';

/** Address of our own door. */
export const ownPath = '/v1/streams';
export const ownSubprotocol = 'voicegate.v1';

/** Our own protocol: JSON control in text frames, audio in binary frames of any size. */
export class OwnDoor implements WsDoor {
  readonly subprotocols = [ownSubprotocol];

  constructor(private readonly calls: LiveCalls) {}

  matches(pathname: string): boolean {
    return pathname === ownPath;
  }

  /** The token is looked at in the hello: browsers cannot read why an upgrade was refused. */
  refuses(): null {
    return null;
  }

  open(peer: Peer, request: IncomingMessage): PeerHandler {
    return new OwnConnection(this.calls, peer, tokenIn(request));
  }
}

function tokenIn({ url, headers }: IncomingMessage): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return bearer ?? new URL(url ?? '/', 'http://door').searchParams.get('token');
}

class OwnConnection implements PeerHandler, DoorSide {
  private readonly call: DoorCall;

  constructor(
    calls: LiveCalls,
    private readonly peer: Peer,
    private readonly token: string | null,
  ) {
    this.call = new DoorCall(calls, 'voicegate', peer, this);
  }

  onText(text: string): void {
    if (this.call.over) return;
    const message = readClientMessage(text);
    if (message === null) {
      return this.call.refuse(invalid('a text frame is none of the messages of the protocol'));
    }
    const { type: kind, ...rest } = message;
    if (message.type === 'hello') this.greet(message);
    else if (this.call.begun) this.call.accept({ kind, ...rest } as SessionInput);
    else this.call.refuse(invalid(`${kind} before the hello`));
  }

  onBytes(bytes: Uint8Array): void {
    if (this.call.over) return;
    if (this.call.begun) this.call.accept({ kind: 'audio', bytes });
    else this.call.refuse(invalid('audio before the hello'));
  }

  onGone(): void {
    this.call.leave();
  }

  onOpened({ streamId, resumeToken, takenSeconds, terms }: LiveCall): void {
    this.peer.send({ type: 'hello', streamId, resumeToken, mode: terms.mode, takenSeconds });
  }

  onOutput(view: OutputView): void {
    this.peer.send(view);
  }

  onClosed(reason: ClosedReason): void {
    this.peer.close(endedCloseCode(reason), reason);
  }

  onRefused(refusal: Refusal): void {
    this.peer.send({ type: 'error', ...refusal });
    this.peer.close(refusedCloseCode(refusal), refusal.code);
  }

  private greet({ token, resume, encoding, sampleRateHz, channels }: Extract<ClientMessage, { type: 'hello' }>): void {
    if (this.call.begun) return this.call.refuse(invalid('a second hello'));
    const ticket = resume === undefined ? { token: token ?? this.token ?? '' } : { resume };
    void this.call.open(ticket, { encoding, sampleRateHz, channels });
  }
}

const invalid = (title: string): Refusal => ({ code: 'invalid_request', title, hint: null });
