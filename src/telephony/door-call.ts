import type { OwnCallId } from '../service/open-call.js';
import type { StreamProtocol } from '../service/ports.js';
import { outputView, type OutputView } from './output-view.js';
import {
  refusalOf,
  type ClosedReason,
  type LiveCall,
  type LiveCalls,
  type MediaFormat,
  type Refusal,
  type SessionInput,
  type SessionOutput,
} from './session-io.js';

/** A connection that does not say within this which call it brings is refused, ms. */
const openMs = 10_000;

/** Tells the operator what no peer and no caller can act on. */
export type OnFault = (facts: {
  readonly name: string;
  readonly code?: string;
  readonly streamId?: string;
  /** An address. */
  readonly peer?: string;
}) => void;

/** What stops and goes on reading a connection: a WebSocket peer or a socket. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** What a door does for its call. None of it may throw. */
export interface DoorSide {
  /** The call was taken: what came early follows. */
  onOpened(call: LiveCall): void;
  /** Something to tell the peer, as its key may see it. */
  onOutput(view: OutputView): void;
  /** The call is over: say goodbye as the protocol does and close the connection. */
  onClosed(reason: ClosedReason): void;
  /** The call was not taken: say why and close the connection. */
  onRefused(refusal: Refusal): void;
}

/** How a peer says which call it brings: the token of a registration, the operator's own id, or the resume token of its first hello. */
export type CallTicket = { readonly token: string } | OwnCallId | { readonly resume: string };

/**
 * A call behind a connection, the same for every protocol: opened or gone on with, what comes early kept until then, reading stopped while the
 * session is full, left waiting when the connection dies, and deaf when it is over.
 */
export class DoorCall {
  private call: LiveCall | null = null;
  private early: SessionInput[] = [];
  private state: 'new' | 'opening' | 'live' | 'over' = 'new';
  private gone = false;
  private readonly openTimer = setTimeout(
    () =>
      this.refuse({ code: 'invalid_request', title: 'the connection did not say which call it brings', hint: null }),
    openMs,
  );

  constructor(
    private readonly calls: LiveCalls,
    private readonly protocol: StreamProtocol,
    private readonly flow: Flow,
    private readonly side: DoorSide,
  ) {}

  /** Whether `open` was called. */
  get begun(): boolean {
    return this.state !== 'new';
  }

  /** Whether nothing that comes has a meaning any more. */
  get over(): boolean {
    return this.state === 'over';
  }

  /**
   * Takes the call, once; the connection is not read meanwhile. Never throws: the side is told how it ended.
   * @param media null: the peer's first audio tells, and the door accepts a `hello` then
   */
  async open(ticket: CallTicket, media: MediaFormat | null): Promise<void> {
    this.state = 'opening';
    clearTimeout(this.openTimer);
    this.flow.pause();
    try {
      const sink = (output: SessionOutput): void => this.tell(output);
      const call =
        'resume' in ticket
          ? this.calls.resume(this.protocol, ticket.resume, sink)
          : await this.calls.open(this.protocol, 'token' in ticket ? ticket.token : ticket, sink);
      if (this.over) return call.detach();
      this.call = call;
      this.state = 'live';
      this.side.onOpened(call);
      if (media !== null) call.accept({ kind: 'hello', media });
      for (const input of this.early.splice(0)) this.accept(input);
      if (this.gone) this.leave();
    } catch (fault) {
      this.refuse(refusalOf(fault));
    } finally {
      this.flow.resume();
    }
  }

  /** What the peer says after `open`. Before the call is taken it waits; after the end it is let go. */
  accept(input: SessionInput): void {
    if (this.state === 'over') return;
    if (this.call === null) this.early.push(input);
    else if (!this.call.accept(input) && !this.over) this.flow.pause();
  }

  /** Ends what was not taken yet, or was never asked for: the peer broke the protocol. */
  refuse(refusal: Refusal): void {
    if (this.state === 'over') return;
    const { call } = this;
    this.letGo();
    call?.detach();
    this.side.onRefused(refusal);
  }

  /** The connection is gone, asked or not: the call waits for a peer that goes on with it. */
  leave(): void {
    this.gone = true;
    // What came before counts once the call is taken.
    if (this.state === 'opening') return;
    const { call } = this;
    this.letGo();
    call?.detach();
  }

  private tell(output: SessionOutput): void {
    if (output.kind === 'drained') return this.flow.resume();
    if (this.call === null) return;
    this.side.onOutput(outputView(this.call.answer, output));
    if (output.kind !== 'closed') return;
    this.letGo();
    // A connection that is not read does not see the peer's goodbye.
    this.flow.resume();
    this.side.onClosed(output.reason);
  }

  private letGo(): void {
    this.state = 'over';
    clearTimeout(this.openTimer);
    this.call = null;
    this.early = [];
  }
}
