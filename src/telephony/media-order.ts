/** One packet of a track as it came. */
export interface MediaPacket {
  /** Its number on the track, increasing; null: the sender does not number. */
  readonly chunk: number | null;
  /** When it began, ms since the stream did; null: not told. */
  readonly timestampMs: number | null;
  readonly bytes: Uint8Array;
}

/** A track in its order: audio, and how much of it is lost. */
export type OrderedMedia =
  | { readonly kind: 'audio'; readonly bytes: Uint8Array; readonly timestampMs: number | null }
  | { readonly kind: 'gap'; readonly seconds: number };

/** So many packets wait for one that is missing before it is taken to be lost: 200 ms with the usual 20 ms a packet. */
export const mostWaitingPackets = 10;
/** Both Twilio and Telnyx number from here. */
const firstChunk = 1;

/**
 * Packets of one track, late, twice or never, → the track in its order. Duplicates and what comes too late are dropped. How much is lost is told by the
 * timestamps, in whole packets and at most one for each missing number: a sender that numbers across its tracks leaves numbers out without a loss.
 */
export class MediaOrder {
  private readonly waiting = new Map<number, MediaPacket>();
  private next = firstChunk;
  private missing = 0;
  private packetMs = 0;
  /** Where the packet after the last one should begin. */
  private dueMs: number | null = null;
  private started = false;

  /** @param bytesPerSecond of the track's audio */
  constructor(private readonly bytesPerSecond: number) {}

  /** @returns what is in its place now, perhaps nothing */
  accept(packet: MediaPacket): OrderedMedia[] {
    const { chunk } = packet;
    if (chunk === null) return this.place(packet);
    if (!this.started) this.next = Math.min(this.next, chunk);
    this.started = true;
    if (chunk < this.next || this.waiting.has(chunk)) return [];
    this.waiting.set(chunk, packet);
    return this.release(mostWaitingPackets);
  }

  /** No packet will come any more: what waits is let go. */
  finish(): OrderedMedia[] {
    return this.release(0);
  }

  private release(mostWaiting: number): OrderedMedia[] {
    const ordered: OrderedMedia[] = [];
    while (this.waiting.size > 0) {
      const packet = this.waiting.get(this.next);
      if (packet !== undefined) {
        this.waiting.delete(this.next++);
        ordered.push(...this.place(packet));
      } else if (this.waiting.size > mostWaiting) {
        const found = Math.min(...this.waiting.keys());
        this.missing += found - this.next;
        this.next = found;
      } else break;
    }
    return ordered;
  }

  private place({ timestampMs, bytes }: MediaPacket): OrderedMedia[] {
    const seconds = this.lostMs(timestampMs) / 1000;
    this.missing = 0;
    const ms = (1000 * bytes.length) / this.bytesPerSecond;
    if (ms > 0) this.packetMs = ms;
    this.dueMs = timestampMs === null ? null : timestampMs + ms;
    const audio: OrderedMedia = { kind: 'audio', bytes, timestampMs };
    return seconds > 0 ? [{ kind: 'gap', seconds }, audio] : [audio];
  }

  private lostMs(timestampMs: number | null): number {
    if (this.missing === 0 || this.packetMs === 0) return 0;
    if (timestampMs === null || this.dueMs === null) return this.missing * this.packetMs;
    const packets = Math.round((timestampMs - this.dueMs) / this.packetMs);
    return Math.max(0, Math.min(this.missing, packets)) * this.packetMs;
  }
}
