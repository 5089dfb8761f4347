import { VoicegateError, type ErrorCode } from '../errors.js';
import type { LiveEvent } from '../service/live-events.js';
import type { OwnCallId } from '../service/open-call.js';
import type { AnswerKind, StreamProtocol, StreamTerms } from '../service/ports.js';

/** Whose voice a channel carries. `mixed`: customer and agent in one. `unused`: thrown away. */
export type Channel = 'customer' | 'agent' | 'mixed' | 'unused';

/** How the bytes of a call are to be read. */
export interface MediaFormat {
  /** `l16-be` is network order (RFC 3551), `l16-le` what media servers send. */
  readonly encoding: 'l16-le' | 'l16-be' | 'mulaw' | 'alaw';
  /** 4 to 192 kHz. */
  readonly sampleRateHz: number;
  /** Interleaved, in their order; one voice may not be there twice. With `leg` in the audio inputs: the legs that will come. */
  readonly channels: readonly Channel[];
}

/** What a door tells a session. The same union for every protocol. */
export type SessionInput =
  /** First, once. */
  | { readonly kind: 'hello'; readonly media: MediaFormat }
  /** Bytes of any number, also half a sample. `leg`: for protocols that send each leg in frames of its own, without interleaving. */
  | { readonly kind: 'audio'; readonly bytes: Uint8Array; readonly leg?: 'customer' | 'agent' }
  /** Audio that is known to be lost: silence takes its place, so that time goes on. */
  | { readonly kind: 'gap'; readonly seconds: number; readonly leg?: 'customer' | 'agent' }
  /** A key. `#` ends an active session. */
  | { readonly kind: 'dtmf'; readonly digit: string }
  /** No audio will come for a while, and that is no sign of a dead peer. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Nothing more will come: what was heard is judged. */
  | { readonly kind: 'end' }
  /** The peer broke the protocol or says that it failed, and cannot come back: the call ends without a verdict. `title` is told to whoever listens. */
  | { readonly kind: 'fault'; readonly title: string };

/** Why a call was not taken or could not go on, as a peer may be told. */
export interface Refusal {
  readonly code: ErrorCode | 'internal';
  readonly title: string;
  readonly hint: string | null;
}

/** A fault as a peer may be told: of ours nothing but that it is ours. */
export const refusalOf = (fault: unknown): Refusal =>
  fault instanceof VoicegateError
    ? { code: fault.code, title: fault.message, hint: fault.hint ?? null }
    : { code: 'internal', title: 'Something went wrong on our side', hint: null };

/** What a session tells its door, and everybody who listens to its events. */
export type SessionOutput =
  | LiveEvent
  | ({ readonly kind: 'error' } & Refusal)
  /** What waited is worked off: the door may read again. */
  | { readonly kind: 'drained' }
  /** Last. */
  | { readonly kind: 'closed'; readonly reason: ClosedReason };

/** `completed`: a verdict or print was made. `ended`: an enrolment ended without one. `lost`: the connection broke and nobody resumed. */
export type ClosedReason = 'completed' | 'ended' | 'lost' | 'replaced' | 'failed' | 'shutting_down';

/** Takes a session's outputs. Must not throw. */
export type Sink = (output: SessionOutput) => void;

/** A call as its door holds it. */
export interface LiveCall {
  readonly streamId: string;
  /** Given to the peer at its first hello; the only way to go on after a broken connection. */
  readonly resumeToken: string;
  /** What was registered: mode, tier, language … */
  readonly terms: StreamTerms;
  /** What the key that registered may be told: give it to `outputView`. */
  readonly answer: AnswerKind;
  /** Seconds of audio taken so far: where a resumed peer goes on. */
  readonly takenSeconds: number;
  /** @returns false when so much waits that the door should stop reading until `drained` */
  accept(input: SessionInput): boolean;
  /** The connection broke without a goodbye: the call waits for `resume`. */
  detach(): void;
}

/** Where doors bring calls. */
export interface LiveCalls {
  /**
   * Takes a registered stream: works once, but for protocols whose peers come back to the same address after a broken connection (`freeswitch`).
   * @param name the UUID that `POST /v1/streams` gave, or the operator's own id of the call
   * @throws VoicegateError `stream_unknown` (also for one that was used, has expired, or is for another protocol), `busy`, `shutting_down`
   */
  open(protocol: StreamProtocol, name: string | OwnCallId, sink: Sink): Promise<LiveCall>;
  /** Whether a call may come under a token now, for doors that can say so before they let a connection in. The call may be taken meanwhile all the same. */
  awaits(protocol: StreamProtocol, token: string): Promise<boolean>;
  /** Which of a tenant's calls could be opened now by the operator's own ids. */
  registered(protocol: StreamProtocol, tenantId: string, callIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Goes on with a call whose connection broke or says nothing more: then that is closed as `replaced`. @throws VoicegateError `stream_unknown` */
  resume(protocol: StreamProtocol, resumeToken: string, sink: Sink): LiveCall;
}
