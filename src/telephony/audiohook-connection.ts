import type { Signer } from './audiohook-guard.js';
import type { KeptCalls, SessionOwner } from './audiohook-kept.js';
import { nullUuid, pickMedia, secondsOf, type OfferedMedia, type OpenParameters } from './audiohook-messages.js';
import { AudioHookWire } from './audiohook-wire.js';
import { DoorCall, type DoorSide, type OnFault } from './door-call.js';
import type { OutputView } from './output-view.js';
import type { ClosedReason, LiveCall, LiveCalls, MediaFormat, Refusal } from './session-io.js';
import type { Waiting, WaitingRoom } from './waiting-room.js';
import { closeCodes, type Peer, type PeerHandler } from './ws-doors.js';

/** What the connections of a door share. */
export interface AudioHookPlace {
  readonly calls: LiveCalls;
  readonly waitingRoom: WaitingRoom;
  readonly onFault: OnFault;
  readonly keptCalls: KeptCalls;
}

/** What is known of a connection before its first message. */
export interface AudioHookSession {
  readonly signer: Signer;
  readonly organizationId: string;
  readonly sessionId: string;
  /** Of the one call that this address is for; null: the conversation says which. */
  readonly token: string | null;
}

/** A probe, and a peer that does not close after the end, is left after this, ms. */
const goodbyeMs = 5000;
const languages = ['zh-CN', 'en-US'];
/** What is for screens, and what the protocol says in its own way. */
const untold: readonly string[] = ['progress', 'drained', 'closed'];

/**
 * One AudioHook session. At the fixed address it outlives calls: paused, it waits until its conversation is registered, plays one call, and waits
 * again, so that an agent may ask for a check late, and for another one after it.
 */
export class AudioHookConnection implements PeerHandler, DoorSide, Waiting {
  readonly tenantId: string;
  callId = '';
  private state: 'new' | 'opening' | 'open' | 'disconnecting' | 'closing' | 'over' = 'new';
  private readonly wire: AudioHookWire;
  private call: DoorCall;
  private media: { readonly media: OfferedMedia; readonly format: MediaFormat } | null = null;
  private wantsLanguages = false;
  private resumeToken: string | null = null;
  private goodbye: NodeJS.Timeout | undefined;

  constructor(
    private readonly place: AudioHookPlace,
    private readonly peer: Peer,
    private readonly session: AudioHookSession,
  ) {
    this.tenantId = session.signer.tenantId;
    this.wire = new AudioHookWire(peer, session.sessionId);
    this.call = new DoorCall(place.calls, 'audiohook', peer, this);
  }

  onText(json: string): void {
    if (this.state === 'over') return;
    const message = this.wire.read(json);
    if (typeof message === 'string') return this.broke(message);
    if (this.state === 'new' && !['open', 'close', 'ping', 'error', 'unknown'].includes(message.type)) {
      return this.broke(`${message.type} before open`);
    }
    switch (message.type) {
      case 'open':
        return this.greet(message.parameters);
      case 'close':
        return this.finish(message.parameters.reason);
      case 'ping':
        return this.wire.send('pong', {});
      case 'update':
        return this.wire.send('updated', {});
      case 'paused':
        return this.call.accept({ kind: 'pause' });
      case 'resumed':
        return this.call.accept({ kind: 'resume' });
      case 'discarded':
        return this.call.accept({ kind: 'gap', seconds: secondsOf(message.parameters.discarded) });
      case 'error':
        return this.place.onFault({ name: `Genesys reports error ${message.parameters.code}` });
      case 'unknown':
    }
  }

  onBytes(bytes: Uint8Array): void {
    if (this.state === 'new') return this.broke('audio before open');
    if (this.call.begun) this.call.accept({ kind: 'audio', bytes });
  }

  onGone(): void {
    this.state = 'over';
    clearTimeout(this.goodbye);
    this.place.waitingRoom.leave(this);
    this.letCallGo();
  }

  onOpened({ resumeToken }: LiveCall): void {
    this.resumeToken = resumeToken;
    if (this.state === 'opening') this.sendOpened(false);
    else if (this.state === 'open') this.wire.send('resume', {});
  }

  onOutput(view: OutputView): void {
    if (this.state !== 'open' && this.state !== 'closing') return;
    if (!untold.includes(view.type))
      this.wire.send('event', { entities: [{ type: `voicegate.${view.type}`, data: view }] });
  }

  onClosed(reason: ClosedReason): void {
    this.resumeToken = null;
    if (this.state === 'closing') return this.sendClosed();
    if (this.state !== 'open') return;
    if (reason === 'shutting_down') return this.disconnect('error', 'the service is stopping');
    if (this.session.token !== null) return this.disconnect(reason === 'failed' ? 'error' : 'completed', reason);
    this.wire.send('pause', {});
    this.wait();
  }

  onRefused({ code, title }: Refusal): void {
    if (this.state === 'closing') return this.sendClosed();
    if (this.session.token === null && (code === 'stream_unknown' || code === 'busy')) return this.wait();
    this.place.onFault({ name: `AudioHook: ${title}`, code });
    this.disconnect('error', title);
  }

  onRegistered(): void {
    if (this.state !== 'open' || this.media === null) return;
    this.call = new DoorCall(this.place.calls, 'audiohook', this.peer, this);
    void this.call.open({ tenantId: this.tenantId, callId: this.callId }, this.media.format);
  }

  onWaitedEnough(): void {
    this.disconnect('completed', 'nobody registered this conversation');
  }

  private greet({
    organizationId,
    conversationId,
    media,
    supportedLanguages,
    continuedSessions,
  }: OpenParameters): void {
    if (this.state !== 'new') return this.broke('a second open');
    this.state = 'opening';
    this.callId = conversationId;
    this.wantsLanguages = supportedLanguages === true;
    if (organizationId !== this.session.organizationId) {
      return this.disconnect('unauthorized', 'organizationId is not the one of the request');
    }
    if (conversationId === nullUuid) {
      this.call.leave();
      this.sendOpened(false);
      return this.leaveSoon();
    }
    const before = continuedSessions?.map(({ id }) => id) ?? [];
    const continued = this.place.keptCalls.take(before, this.owner, media);
    this.media = pickMedia(continued === null ? media : [continued.media]);
    if (this.media === null)
      return this.disconnect('error', 'no media offered carry the external channel as PCMU or L16 at 8000 Hz');
    const { token } = this.session;
    const named = token === null ? { tenantId: this.tenantId, callId: conversationId } : { token };
    void this.call.open(continued === null ? named : { resume: continued.resumeToken }, this.media.format);
  }

  /** Genesys ends the session: what was heard is judged, unless it goes on in another session or failed. */
  private finish(reason: string): void {
    if (this.state === 'closing') return;
    const isHearing = this.call.begun && !this.call.over;
    this.place.waitingRoom.leave(this);
    if (!isHearing || reason === 'reconnect') {
      this.letCallGo();
      return this.sendClosed();
    }
    this.state = 'closing';
    if (reason === 'error') this.call.accept({ kind: 'fault', title: 'Genesys closed the session with an error' });
    else this.call.accept({ kind: 'end' });
  }

  private wait(): void {
    if (this.state === 'opening') this.sendOpened(true);
    if (this.state !== 'open') return;
    if (!this.place.waitingRoom.enter(this)) this.disconnect('error', 'too many conversations wait to be registered');
  }

  /** The connection ends and its call does not: another session may continue it. */
  private letCallGo(): void {
    const { resumeToken, owner } = this;
    if (resumeToken !== null && this.media !== null) {
      this.place.keptCalls.keep(this.session.sessionId, { owner, resumeToken, media: this.media.media });
    }
    this.resumeToken = null;
    this.call.leave();
  }

  private get owner(): SessionOwner {
    const { signer, organizationId } = this.session;
    return { apiKey: signer.apiKey, organizationId, conversationId: this.callId };
  }

  /** The peer broke the protocol: its call ends without a verdict. */
  private broke(info: string): void {
    if (this.state === 'disconnecting' || this.state === 'closing' || this.state === 'over') return;
    this.place.onFault({ name: `AudioHook: ${info}`, code: 'invalid_request' });
    this.disconnect('error', info);
    if (this.call.begun) this.call.accept({ kind: 'fault', title: info });
  }

  private disconnect(reason: 'completed' | 'unauthorized' | 'error', info: string): void {
    this.place.waitingRoom.leave(this);
    this.wire.send('disconnect', { reason, info });
    this.state = 'disconnecting';
    if (!this.call.begun) this.call.leave();
    this.leaveSoon();
  }

  private sendOpened(startPaused: boolean): void {
    this.state = 'open';
    this.wire.send('opened', {
      media: this.media === null ? [] : [this.media.media],
      startPaused,
      ...(this.wantsLanguages ? { supportedLanguages: languages } : {}),
    });
  }

  private sendClosed(): void {
    this.wire.send('closed', {});
    this.state = 'over';
    this.leaveSoon();
  }

  private leaveSoon(): void {
    clearTimeout(this.goodbye);
    this.goodbye = setTimeout(() => this.peer.close(closeCodes.done, ''), goodbyeMs);
  }
}
