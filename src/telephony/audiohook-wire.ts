import { readMessage, type ClientMessage } from './audiohook-messages.js';
import type { Peer } from './ws-doors.js';

/** Longest text message, characters: the protocol's own limit. */
const longestMessage = 65_535;
/** Messages that may come at once, and a second afterwards. Genesys pings every few seconds. */
const messagesAtOnce = 100;
const messagesPerSecond = 20;

/** What holds an AudioHook session together: its id, sequence numbers both ways, and limits on what comes. */
export class AudioHookWire {
  private seq = 0;
  private clientSeq = 0;
  private mayCome = messagesAtOnce;
  private cameAt = performance.now();

  constructor(
    private readonly peer: Peer,
    private readonly sessionId: string,
  ) {}

  send(type: string, parameters: object): void {
    this.seq += 1;
    const { seq, clientSeq: clientseq, sessionId: id } = this;
    this.peer.send({ version: '2', id, type, seq, clientseq, parameters });
  }

  /** @returns the message, or what is wrong with it */
  read(json: string): ClientMessage | string {
    if (json.length > longestMessage) return `a message of ${json.length} characters`;
    if (!this.isInPace()) return 'too many messages';
    const message = readMessage(json);
    if (message === null) return 'a message that is none of the protocol’s';
    if (message.id !== this.sessionId) return 'a message of another session';
    if (message.seq !== this.clientSeq + 1) return `seq ${message.seq} after ${this.clientSeq}`;
    if (message.serverseq > this.seq) return `serverseq ${message.serverseq}, of ${this.seq} sent`;
    this.clientSeq = message.seq;
    return message;
  }

  private isInPace(): boolean {
    const now = performance.now();
    const since = (now - this.cameAt) / 1000;
    this.mayCome = Math.min(messagesAtOnce, this.mayCome + since * messagesPerSecond) - 1;
    this.cameAt = now;
    return this.mayCome >= 0;
  }
}
