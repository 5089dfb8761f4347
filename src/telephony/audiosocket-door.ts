import { createServer, type AddressInfo, type Socket } from 'node:net';
import { VoicegateError } from '../errors.js';
import { AudioSocketFrames, frameKinds, isOtherRate, terminateFrame, uuidText } from './audiosocket-frames.js';
import type { AudioSocketFrame } from './audiosocket-frames.js';
import { DoorCall, type DoorSide, type OnFault } from './door-call.js';
import type { OutputView } from './output-view.js';
import { PeerList } from './peer-list.js';
import type { LiveCalls, Refusal } from './session-io.js';
import type { OpenDoors } from './ws-doors.js';

/** How the door for Asterisk is opened. */
export interface AudioSocketSettings {
  /** 0 picks a free one. */
  readonly port: number;
  readonly host: string;
  /** Addresses and networks that may connect: the protocol knows no other proof of who is there. */
  readonly peers: readonly string[];
  /** Sampling rate, Hz, of frame kinds 0x11 to 0x18. */
  readonly rates: ReadonlyMap<number, number>;
}

/** Connections that have not said yet which call they bring, at most. */
const mostUnnamed = 100;
/** A peer that does not close after the end is left, ms. */
const goodbyeMs = 2000;
/** Who was not let in is told this often at most, ms. */
const strangerEveryMs = 60_000;

/** An open door for Asterisk. */
export interface AudioSocketDoor extends OpenDoors {
  readonly port: number;
}

/**
 * Listens for Asterisk's AudioSocket: raw TCP, the call named by the UUID that `POST /v1/streams` gave.
 * @param onFault told what calls were refused for and who was not let in: Asterisk is told no reason
 * @throws VoicegateError `configuration_invalid` when a peer is no address, or the port cannot be had
 */
export async function openAudioSocket(
  calls: LiveCalls,
  { port, host, peers, rates }: AudioSocketSettings,
  onFault: OnFault,
): Promise<AudioSocketDoor> {
  const listed = new PeerList(peers, 'VOICEGATE_AUDIOSOCKET_PEERS');
  for (const [kind, sampleRateHz] of rates) {
    if (sampleRateHz >= 4000 && sampleRateHz <= 192_000) continue;
    throw new VoicegateError(
      'configuration_invalid',
      `VOICEGATE_AUDIOSOCKET_RATES says ${sampleRateHz} Hz of ${hex(kind)}`,
      {
        hint: 'Rates are 4000 to 192000 Hz',
      },
    );
  }
  const connections = new Set<AudioSocketConnection>();
  let strangerToldAt = -Infinity;
  // Nothing is read of a connection that is not wanted.
  const server = createServer({ pauseOnConnect: true, keepAlive: true, keepAliveInitialDelay: 10_000 }, (socket) => {
    socket.on('error', () => undefined);
    const peer = socket.remoteAddress ?? '';
    const unnamed = [...connections].filter(({ named }) => !named).length;
    if (!listed.has(peer)) {
      socket.destroy();
      if (performance.now() - strangerToldAt < strangerEveryMs) return;
      strangerToldAt = performance.now();
      return onFault({ name: 'a peer that VOICEGATE_AUDIOSOCKET_PEERS does not list', peer });
    }
    if (unnamed >= mostUnnamed) return void socket.destroy();
    const connection = new AudioSocketConnection(calls, socket, rates, onFault);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  }).catch((cause: unknown) => {
    throw new VoicegateError('configuration_invalid', `cannot listen on ${host} port ${port} for AudioSocket`, {
      hint: `${(cause as NodeJS.ErrnoException).code ?? 'unknown'}: set VOICEGATE_AUDIOSOCKET_HOST and VOICEGATE_AUDIOSOCKET_PORT to a free address of this machine`,
      cause,
    });
  });
  server.on('error', ({ name }) => onFault({ name }));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections.size;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of connections) connection.close();
      await closed;
    },
  };
}

/** One connection of Asterisk. */
class AudioSocketConnection implements DoorSide {
  private readonly frames = new AudioSocketFrames();
  private readonly call: DoorCall;
  /** The kind of the call's first audio: there is no other in it. */
  private audioKind: number | null = null;

  constructor(
    calls: LiveCalls,
    private readonly socket: Socket,
    private readonly rates: ReadonlyMap<number, number>,
    private readonly onFault: OnFault,
  ) {
    this.call = new DoorCall(calls, 'audiosocket', socket, this);
    socket
      .on('data', (bytes) => this.hear(bytes))
      // A plain close is as good as a terminate.
      .on('end', () => this.call.begun && this.call.accept({ kind: 'end' }))
      .on('close', () => this.call.leave())
      .resume();
  }

  /** Whether it has said which call it brings. */
  get named(): boolean {
    return this.call.begun;
  }

  /** Ends the connection, whatever it does. */
  close(): void {
    this.call.leave();
    this.end();
  }

  onOpened(): void {
    // Asterisk is told nothing: it takes any answer but audio and the end for a fault, and hangs up on the caller.
  }

  onOutput({ type, title, code }: OutputView): void {
    // See above. The verdict is in the stream's state before the end is sent; what went wrong, the operator is told.
    if (type === 'error') this.onFault({ name: String(title), code: String(code) });
  }

  onClosed(): void {
    this.end();
  }

  onRefused({ title, code }: Refusal): void {
    this.onFault({ name: title, code });
    this.end();
  }

  private hear(bytes: Uint8Array): void {
    if (this.call.over) return;
    this.frames.accept(bytes);
    for (let frame = this.frames.read(); frame !== null && !this.call.over; frame = this.frames.read()) {
      this.take(frame);
    }
  }

  private take({ kind, payload }: AudioSocketFrame): void {
    if (kind === frameKinds.uuid) return this.name(payload);
    if (!this.call.begun) return this.broke(`frame ${hex(kind)} before the UUID`);
    switch (kind) {
      case frameKinds.terminate:
        return this.call.accept({ kind: 'end' });
      case frameKinds.dtmf:
        // A key that is none is no reason to lose a caller.
        return this.call.accept({ kind: 'dtmf', digit: payload.toString('latin1') });
      case frameKinds.error:
        // Bit 0: the caller hung up.
        if (payload[0] === 0x01) return this.call.accept({ kind: 'end' });
        return this.broke(`Asterisk reports error ${payload.length === 0 ? 'without a code' : hex(payload[0] ?? 0)}`);
      default:
        if (kind === frameKinds.audio || isOtherRate(kind)) this.hearAudio(kind, payload);
    }
  }

  private name(payload: Buffer): void {
    if (this.call.begun) return this.broke('a second UUID');
    if (payload.length !== 16) return this.broke(`a UUID of ${payload.length} bytes`);
    void this.call.open({ token: uuidText(payload) }, null);
  }

  private hearAudio(kind: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.audioKind === null) {
      const sampleRateHz = kind === frameKinds.audio ? 8000 : this.rates.get(kind);
      if (sampleRateHz === undefined) {
        return this.broke(`audio of kind ${hex(kind)}, whose rate VOICEGATE_AUDIOSOCKET_RATES does not tell`);
      }
      this.audioKind = kind;
      this.call.accept({ kind: 'hello', media: { encoding: 'l16-le', sampleRateHz, channels: ['customer'] } });
    }
    if (kind !== this.audioKind) return this.broke(`audio of kind ${hex(kind)} after ${hex(this.audioKind)}`);
    this.call.accept({ kind: 'audio', bytes });
  }

  /** The peer broke the protocol: it has no way to come back, so its call ends now. */
  private broke(title: string): void {
    if (this.call.begun) this.call.accept({ kind: 'fault', title });
    else this.call.refuse({ code: 'invalid_request', title, hint: null });
  }

  private end(): void {
    if (this.socket.writable) this.socket.end(terminateFrame);
    const timer = setTimeout(() => this.socket.destroy(), goodbyeMs);
    this.socket.on('close', () => clearTimeout(timer)).resume();
  }
}

const hex = (kind: number): string => `0x${kind.toString(16).padStart(2, '0')}`;
