import type { IncomingMessage } from 'node:http';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import { outputView } from './output-view.js';
import type { LiveCall, LiveCalls, MediaFormat, SessionOutput } from './session-io.js';
import { closeCodes, type Peer, type PeerHandler, type WsDoor } from './ws-doors.js';

/** Address of our own door. */
export const ownPath = '/v1/streams';
export const ownSubprotocol = 'voicegate.v1';
/** Without a hello after this the connection is closed, ms. */
const helloMs = 10_000;

const closed = { additionalProperties: false } as const;
const channel = Type.Union(['customer', 'agent', 'mixed', 'unused'].map((name) => Type.Literal(name as 'customer')));

/** What a client says in text frames; see the AsyncAPI page. */
export const clientMessages = {
  hello: Type.Object(
    {
      type: Type.Literal('hello'),
      token: Type.Optional(
        Type.String({ maxLength: 100, description: 'From POST /v1/streams, unless the address or a header has it' }),
      ),
      resume: Type.Optional(
        Type.String({ maxLength: 100, description: 'Resume token of a broken connection, in place of the token' }),
      ),
      encoding: Type.Union(['l16-le', 'l16-be', 'mulaw', 'alaw'].map((name) => Type.Literal(name as 'mulaw'))),
      sampleRateHz: Type.Integer({ minimum: 4000, maximum: 192_000 }),
      channels: Type.Array(channel, {
        minItems: 1,
        maxItems: 2,
        description: 'Of the interleaved binary frames, in their order',
      }),
    },
    closed,
  ),
  gap: Type.Object({ type: Type.Literal('gap'), seconds: Type.Number({ minimum: 0, maximum: 60 }) }, closed),
  dtmf: Type.Object({ type: Type.Literal('dtmf'), digit: Type.String({ pattern: '^[0-9A-D*#]$' }) }, closed),
  pause: Type.Object({ type: Type.Literal('pause') }, closed),
  resume: Type.Object({ type: Type.Literal('resume') }, closed),
  end: Type.Object({ type: Type.Literal('end') }, closed),
} as const;

type ClientMessage = {
  [K in keyof typeof clientMessages]: Static<(typeof clientMessages)[K]>;
}[keyof typeof clientMessages];

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

class OwnConnection implements PeerHandler {
  private call: LiveCall | null = null;
  private greeted = false;
  private gone = false;
  /** The call has ended or was refused: what still comes is let go. */
  private over = false;
  private readonly early: Uint8Array[] = [];
  private readonly helloTimer = setTimeout(
    () => this.refuse(closeCodes.noHello, 'no hello came', 'invalid_request'),
    helloMs,
  );

  constructor(
    private readonly calls: LiveCalls,
    private readonly peer: Peer,
    private readonly token: string | null,
  ) {}

  onText(text: string): void {
    if (this.over) return;
    const message = parsed(text);
    if (message === null) {
      return this.refuse(
        closeCodes.badMessage,
        'a text frame is none of the messages of the protocol',
        'invalid_request',
      );
    }
    if (message.type === 'hello') {
      if (this.greeted) return this.refuse(closeCodes.badMessage, 'a second hello', 'invalid_request');
      this.greeted = true;
      void this.greet(message);
      return;
    }
    if (this.call === null)
      return this.refuse(closeCodes.badMessage, `${message.type} before the hello was answered`, 'invalid_request');
    const { type: kind, ...rest } = message;
    this.call.accept({ kind, ...rest } as Parameters<LiveCall['accept']>[0]);
  }

  onBytes(bytes: Uint8Array): void {
    if (this.over) return;
    if (this.call !== null) this.hear(bytes);
    else if (this.greeted) this.early.push(Buffer.from(bytes));
    else this.refuse(closeCodes.badMessage, 'audio before the hello', 'invalid_request');
  }

  onGone(): void {
    this.gone = true;
    clearTimeout(this.helloTimer);
    this.call?.detach();
    this.call = null;
  }

  private async greet(hello: Static<(typeof clientMessages)['hello']>): Promise<void> {
    // Audio may follow the hello at once: it waits in the network until the call is there.
    this.peer.pause();
    try {
      const sink = (output: SessionOutput): void => this.tell(output);
      const token = hello.token ?? this.token;
      const call =
        hello.resume !== undefined
          ? this.calls.resume('voicegate', hello.resume, sink)
          : await this.calls.open('voicegate', token ?? '', sink);
      clearTimeout(this.helloTimer);
      if (this.gone) return call.detach();
      this.call = call;
      const { streamId, resumeToken, takenSeconds, terms } = call;
      this.peer.send({ type: 'hello', streamId, resumeToken, mode: terms.mode, takenSeconds });
      const { encoding, sampleRateHz, channels } = hello;
      call.accept({ kind: 'hello', media: { encoding, sampleRateHz, channels } satisfies MediaFormat });
      for (const bytes of this.early.splice(0)) this.hear(bytes);
    } catch (fault) {
      const known = fault instanceof VoicegateError ? fault : null;
      this.refuse(
        codeOf(known),
        known?.message ?? 'Something went wrong on our side',
        known?.code ?? 'internal',
        known?.hint,
      );
    } finally {
      this.peer.resume();
    }
  }

  private hear(bytes: Uint8Array): void {
    if (this.call?.accept({ kind: 'audio', bytes }) === false && !this.over) this.peer.pause();
  }

  private tell(output: SessionOutput): void {
    if (output.kind === 'drained') return this.peer.resume();
    if (this.call !== null) this.peer.send(outputView(this.call.answer, output));
    if (output.kind !== 'closed') return;
    const { reason } = output;
    this.call = null;
    this.over = true;
    // A connection that is not read does not see the peer's goodbye.
    this.peer.resume();
    this.peer.close(
      reason === 'failed' ? closeCodes.failed : reason === 'shutting_down' ? closeCodes.restarting : closeCodes.done,
      reason,
    );
  }

  private refuse(closeCode: number, title: string, code: string, hint?: string): void {
    clearTimeout(this.helloTimer);
    this.over = true;
    this.peer.send({ type: 'error', code, title, hint: hint ?? null });
    this.peer.close(closeCode, code);
  }
}

function codeOf(fault: VoicegateError | null): number {
  switch (fault?.code) {
    case 'stream_unknown':
      return closeCodes.unknownStream;
    case 'busy':
      return closeCodes.busy;
    case 'shutting_down':
      return closeCodes.restarting;
    default:
      return closeCodes.failed;
  }
}

function parsed(text: string): ClientMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== 'string' || !Object.hasOwn(clientMessages, type)) return null;
  return Value.Check(clientMessages[type as keyof typeof clientMessages], value) ? value : null;
}
