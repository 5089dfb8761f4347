import type { Signer } from './audiohook-guard.js';
import {
  nullUuid,
  pickMedia,
  readMessage,
  secondsOf,
  type OfferedMedia,
  type OpenParameters,
} from './audiohook-messages.js';
import { DoorCall, type DoorSide, type OnFault } from './door-call.js';
import type { OutputView } from './output-view.js';
import type { ClosedReason, LiveCall, LiveCalls, MediaFormat, Refusal } from './session-io.js';
import type { Waiting, WaitingRoom } from './waiting-room.js';
import { closeCodes, type Peer, type PeerHandler } from './ws-doors.js';

/** A call whose session may be continued by another. */
export interface KeptCall {
  readonly resumeToken: string;
  readonly apiKey: string;
  readonly organizationId: string;
  readonly conversationId: string;
  readonly media: OfferedMedia;
}

/** What the connections of a door share. */
export interface AudioHookPlace {
  readonly calls: LiveCalls;
  readonly waitingRoom: WaitingRoom;
  readonly onFault: OnFault;
  /** Keeps a call whose connection is gone until another session continues it; `takeKept` answers it once. */
  keep(sessionId: string, call: KeptCall): void;
  takeKept(sessionId: string): KeptCall | null;
}

/** What is known of a connection before its first message. */
export interface AudioHookSession {
  readonly signer: Signer;
  readonly organizationId: string;
  readonly sessionId: string;
  /** Of the one call that this address is for; null: the conversation says which. */
  readonly token: string | null;
}

/** Longest text message, characters: the protocol's own limit. */
const longestMessage = 65_535;
/** Messages that may come at once, and a second afterwards. Genesys pings every few seconds. */
const messagesAtOnce = 100;
const messagesPerSecond = 20;
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
  private seq = 0;
  private clientSeq = 0;
  private readonly pace = new MessagePace();
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
    this.call = new DoorCall(place.calls, 'audiohook', this);
  }

  onText(json: string): void {
    if (this.state === 'over') return;
    if (json.length > longestMessage) return this.broke(`a message of ${json.length} characters`);
    if (!this.pace.allows()) return this.broke('too many messages');
    const message = readMessage(json);
    if (message === null) return this.broke('a message that is none of the protocol’s');
    if (message.id !== this.session.sessionId) return this.broke('a message of another session');
    if (message.seq !== this.clientSeq + 1) return this.broke(`seq ${message.seq} after ${this.clientSeq}`);
    if (message.serverseq > this.seq) return this.broke(`serverseq ${message.serverseq}, of ${this.seq} sent`);
    this.clientSeq = message.seq;
    if (this.state === 'new' && !['open', 'close', 'ping', 'error', 'unknown'].includes(message.type)) {
      return this.broke(`${message.type} before open`);
    }
    switch (message.type) {
      case 'open':
        return this.greet(message.parameters);
      case 'close':
        return this.finish(message.parameters.reason);
      case 'ping':
        return this.send('pong', {});
      case 'update':
        return this.send('updated', {});
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

  pause(): void {
    this.peer.pause();
  }

  resume(): void {
    this.peer.resume();
  }

  onOpened({ resumeToken }: LiveCall): void {
    this.resumeToken = resumeToken;
    if (this.state === 'opening') this.sendOpened(false);
    else if (this.state === 'open') this.send('resume', {});
  }

  onOutput(view: OutputView): void {
    if (this.state !== 'open' && this.state !== 'closing') return;
    if (!untold.includes(view.type)) this.send('event', { entities: [{ type: `voicegate.${view.type}`, data: view }] });
  }

  onClosed(reason: ClosedReason): void {
    this.resumeToken = null;
    if (this.state === 'closing') return this.sendClosed();
    if (this.state !== 'open') return;
    if (reason === 'shutting_down') return this.disconnect('error', 'the service is stopping');
    if (this.session.token !== null) return this.disconnect(reason === 'failed' ? 'error' : 'completed', reason);
    this.send('pause', {});
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
    this.call = new DoorCall(this.place.calls, 'audiohook', this);
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
    const continued = continuedSessions?.map(({ id }) => this.continuedCall(id, media)).find((found) => found !== null);
    this.media = continued === undefined ? pickMedia(media) : pickMedia([continued.media]);
    if (this.media === null)
      return this.disconnect('error', 'no media offered carry the external channel as PCMU or L16 at 8000 Hz');
    const { token } = this.session;
    const named = token === null ? { tenantId: this.tenantId, callId: conversationId } : { token };
    void this.call.open(continued === undefined ? named : { resume: continued.resumeToken }, this.media.format);
  }

  /** The call of a session that this one continues, if it is of the same conversation and can go on in the same format. */
  private continuedCall(sessionId: string, offered: readonly OfferedMedia[]): KeptCall | null {
    const kept = this.place.takeKept(sessionId);
    const { signer, organizationId } = this.session;
    const same =
      kept?.apiKey === signer.apiKey && kept.organizationId === organizationId && kept.conversationId === this.callId;
    const mediaText = JSON.stringify(pickedFields(kept?.media));
    return same && offered.some((one) => JSON.stringify(pickedFields(one)) === mediaText) ? kept : null;
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
    const { signer, organizationId, sessionId } = this.session;
    if (this.resumeToken !== null && this.media !== null) {
      const { resumeToken, callId: conversationId } = this;
      const call = { resumeToken, apiKey: signer.apiKey, organizationId, conversationId, media: this.media.media };
      this.place.keep(sessionId, call);
    }
    this.resumeToken = null;
    this.call.leave();
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
    this.send('disconnect', { reason, info });
    this.state = 'disconnecting';
    if (!this.call.begun) this.call.leave();
    this.leaveSoon();
  }

  private sendOpened(startPaused: boolean): void {
    this.state = 'open';
    this.send('opened', {
      media: this.media === null ? [] : [this.media.media],
      startPaused,
      ...(this.wantsLanguages ? { supportedLanguages: languages } : {}),
    });
  }

  private sendClosed(): void {
    this.send('closed', {});
    this.state = 'over';
    this.leaveSoon();
  }

  private leaveSoon(): void {
    clearTimeout(this.goodbye);
    this.goodbye = setTimeout(() => this.peer.close(closeCodes.done, ''), goodbyeMs);
  }

  private send(type: string, parameters: object): void {
    this.seq += 1;
    const { seq, clientSeq: clientseq } = this;
    this.peer.send({ version: '2', id: this.session.sessionId, type, seq, clientseq, parameters });
  }
}

const pickedFields = (media: OfferedMedia | undefined) => [media?.type, media?.format, media?.rate, media?.channels];

/** How many messages may come: so many at once, and then so many a second. */
class MessagePace {
  private left = messagesAtOnce;
  private at = performance.now();

  allows(): boolean {
    const now = performance.now();
    this.left = Math.min(messagesAtOnce, this.left + ((now - this.at) / 1000) * messagesPerSecond) - 1;
    this.at = now;
    return this.left >= 0;
  }
}
