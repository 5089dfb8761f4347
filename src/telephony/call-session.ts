import { isDeepStrictEqual } from 'node:util';
import { VoicegateError, type ErrorCode } from '../errors.js';
import type { LiveEvent, LiveTask } from '../service/live-events.js';
import type { AnswerKind, StreamTerms } from '../service/ports.js';
import { LegDecoder } from './leg-decoder.js';
import {
  refusalOf,
  type ClosedReason,
  type LiveCall,
  type MediaFormat,
  type SessionInput,
  type SessionOutput,
  type Sink,
} from './session-io.js';

/** Where a session's time comes from; tests have their own. */
export interface Timers {
  /** @returns what calls it off */
  after(ms: number, work: () => void): () => void;
}

/** What ends an enrolment in mid-call without anything having failed: it was cancelled, consent was withdrawn, no print can be made. */
const endsEnrolment: ReadonlySet<string> = new Set<ErrorCode>([
  'enrolment_closed',
  'enrolment_inconsistent',
  'enrolment_under_review',
  'consent_missing',
  'opted_out',
]);

/** Limits of a session. */
export interface SessionLimits {
  /** Without audio for this long, what was heard is judged. */
  readonly idleMs: number;
  /** Without audio for this long, less than `idleMs`, a peer that goes on with the call is believed that its connection is dead. */
  readonly quietMs: number;
  /** How long a call whose connection broke waits for its peer. */
  readonly resumeMs: number;
  /** No call is longer, whatever it is for. */
  readonly mostMs: number;
  /** So much waits that the door should stop reading; and so little that it may go on. */
  readonly fullSeconds: number;
  readonly drainedSeconds: number;
  /** A door that does not stop reading loses its call here. */
  readonly mostWaitingSeconds: number;
}

export const defaultLimits: SessionLimits = {
  idleMs: 15_000,
  quietMs: 2000,
  resumeMs: 30_000,
  mostMs: 3_600_000,
  fullSeconds: 3,
  drainedSeconds: 1,
  mostWaitingSeconds: 30,
};

export interface SessionParts {
  readonly streamId: string;
  readonly resumeToken: string;
  readonly terms: StreamTerms;
  readonly answer: AnswerKind;
  readonly task: LiveTask;
  /** Rate that the task hears, Hz. */
  readonly sampleRateHz: number;
  readonly timers: Timers;
  readonly limits: SessionLimits;
  readonly sink: Sink;
  /** Told everything that the door is told. */
  readonly onOutput: Sink;
}

/**
 * One call as a state machine without a socket: hello → audio → what is found → verdict → closed. It takes inputs at any time and works on them in
 * order, one piece after another; it ends by itself, once, with one `closed`, and then holds no timer and no sample.
 */
export class CallSession implements LiveCall {
  readonly streamId: string;
  readonly resumeToken: string;
  readonly terms: StreamTerms;
  readonly answer: AnswerKind;
  private readonly task: LiveTask;
  private media: MediaFormat | null = null;
  private decoder: LegDecoder | null = null;
  private sink: Sink;
  private attached = true;
  /** Nothing came for a while: a connection may have died without a word. */
  private quiet = false;
  private paused = false;
  private full = false;
  private working = false;
  private ending = false;
  private closed = false;
  private cancelIdle: () => void = () => undefined;
  private readonly cancelMost: () => void;

  constructor(private readonly parts: SessionParts) {
    ({ streamId: this.streamId, resumeToken: this.resumeToken, terms: this.terms, answer: this.answer } = parts);
    this.task = parts.task;
    this.sink = parts.sink;
    this.cancelMost = parts.timers.after(parts.limits.mostMs, () => this.end());
    this.waitForAudio();
  }

  get takenSeconds(): number {
    return this.task.takenSeconds;
  }

  /** Whether its connection broke and it waits for a peer. */
  get isLeft(): boolean {
    return !this.attached && !this.closed;
  }

  accept(input: SessionInput): boolean {
    if (this.closed || this.ending) return true;
    try {
      this.take(input);
    } catch (fault) {
      void this.fail(fault);
    }
    return !this.full;
  }

  detach(): void {
    if (this.closed) return;
    this.attached = false;
    this.sink = () => undefined;
    this.cancelIdle();
    this.decoder?.forgetPart();
    if (!this.ending) this.cancelIdle = this.parts.timers.after(this.parts.limits.resumeMs, () => this.close('lost'));
  }

  /** A peer is there again. False when the call is over, or heard its peer a moment ago; one that only seemed to be there is told `replaced`. */
  attach(sink: Sink): boolean {
    // What we do not read ourselves is no sign.
    const mayBeDead = this.quiet && !this.full;
    if (this.closed || (this.attached && !mayBeDead)) return false;
    if (this.attached) {
      this.sink({ kind: 'closed', reason: 'replaced' });
      this.detach();
    }
    this.attached = true;
    this.sink = sink;
    this.waitForAudio();
    return true;
  }

  /** The service ends: no verdict is made of half a call. */
  interrupt(): void {
    this.close('shutting_down');
  }

  private take(input: SessionInput): void {
    switch (input.kind) {
      case 'hello':
        this.greet(input.media);
        break;
      case 'audio':
        this.hear(this.opened().accept(input.bytes, input.leg));
        break;
      case 'gap':
        this.hear(this.opened().skip(input.seconds, input.leg));
        break;
      case 'dtmf':
        if (input.digit === '#' && this.terms.mode === 'active') this.end();
        break;
      case 'pause':
        this.paused = true;
        this.cancelIdle();
        break;
      case 'resume':
        this.paused = false;
        this.waitForAudio();
        break;
      case 'end':
        this.end();
        break;
      case 'fault':
        throw new VoicegateError('invalid_request', input.title);
    }
  }

  /** The peer says its format, once; who goes on after a broken connection says the same again. */
  private greet(media: MediaFormat): void {
    if (this.media !== null && !isDeepStrictEqual(this.media, media)) {
      throw new VoicegateError('invalid_request', 'The call goes on in another format than it began with', {
        hint: `Go on with ${this.media.encoding} at ${this.media.sampleRateHz} Hz, channels ${this.media.channels.join(', ')}`,
      });
    }
    this.media = media;
    this.decoder ??= new LegDecoder(media, this.parts.sampleRateHz, this.task.agent);
    this.waitForAudio();
  }

  private opened(): LegDecoder {
    if (this.decoder !== null) return this.decoder;
    throw new VoicegateError('invalid_request', 'Audio came before the session knew its format', {
      hint: 'Send the hello of the protocol first',
    });
  }

  private hear(samples: Float32Array): void {
    this.waitForAudio();
    this.task.accept(samples);
    const { waitingSeconds } = this.task;
    const { fullSeconds, mostWaitingSeconds } = this.parts.limits;
    if (waitingSeconds > mostWaitingSeconds) {
      throw new VoicegateError('busy', `${Math.round(waitingSeconds)} s of the call wait to be heard`, {
        hint: 'Send audio no faster than it is taken: stop while the session is full',
      });
    }
    if (waitingSeconds > fullSeconds) this.full = true;
    void this.work();
  }

  /** Works until nothing is ready. At most one of these runs. */
  private async work(): Promise<void> {
    if (this.working || this.closed) return;
    this.working = true;
    try {
      while (this.task.ready && !this.closed) this.tell(await this.task.work());
      if (this.full && this.task.waitingSeconds < this.parts.limits.drainedSeconds + 1) {
        this.full = false;
        this.emit({ kind: 'drained' });
      }
      if (this.ending && !this.task.done && !this.closed) {
        this.task.accept(this.decoder?.finish() ?? new Float32Array(0));
        while (this.task.ready && !this.task.done && !this.closed) this.tell(await this.task.work());
        if (!this.task.done && !this.closed) this.tell(await this.task.conclude());
        this.close('ended');
      }
    } catch (fault) {
      this.fail(fault);
    } finally {
      this.working = false;
    }
    if (!this.closed && (this.task.ready || (this.ending && !this.task.done))) void this.work();
  }

  private end(): void {
    if (this.ending || this.closed) return;
    this.ending = true;
    this.cancelIdle();
    void this.work();
  }

  private tell(events: readonly LiveEvent[]): void {
    if (this.closed) return;
    for (const event of events) {
      this.emit(event);
      if (event.kind === 'verdict' || event.kind === 'enrolled') this.close('completed');
    }
  }

  private fail(fault: unknown): void {
    if (this.closed) return;
    const refusal = refusalOf(fault);
    this.emit({ kind: 'error', ...refusal });
    this.close(endsEnrolment.has(refusal.code) ? 'ended' : 'failed');
  }

  private close(reason: ClosedReason): void {
    if (this.closed) return;
    this.closed = true;
    this.cancelIdle();
    this.cancelMost();
    this.emit({ kind: 'closed', reason });
    this.sink = () => undefined;
    this.decoder = null;
  }

  private emit(output: SessionOutput): void {
    this.parts.onOutput(output);
    this.sink(output);
  }

  private waitForAudio(): void {
    this.cancelIdle();
    this.quiet = false;
    if (this.paused || this.ending || this.closed || !this.attached) return;
    const { timers, limits } = this.parts;
    this.cancelIdle = timers.after(limits.quietMs, () => {
      this.quiet = true;
      this.cancelIdle = timers.after(limits.idleMs - limits.quietMs, () => this.end());
    });
  }
}
