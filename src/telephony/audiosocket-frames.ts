/**
 * A frame of Asterisk's AudioSocket: one byte of kind, two bytes of length in network order, as many bytes of payload.
 * https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/
 */
export interface AudioSocketFrame {
  /** One of `frameKinds`, or anything else from 0 to 255. */
  readonly kind: number;
  /** 0 to 65,535 bytes. */
  readonly payload: Buffer;
}

/** Kinds whose meaning is the same in every revision of the protocol. */
export const frameKinds = {
  /** The end, from either side. */
  terminate: 0x00,
  /** 16 bytes, the first frame of a call: which call it is. */
  uuid: 0x01,
  /** One ASCII character. */
  dtmf: 0x03,
  /** 16-bit signed samples, little-endian, 8 kHz, one channel. */
  audio: 0x10,
  /** One byte that says what went wrong in Asterisk. */
  error: 0xff,
} as const;

/** Audio of other rates: which kind is which rate differs between revisions. */
export const isOtherRate = (kind: number): boolean => kind > 0x10 && kind <= 0x18;

/** What ends a call on our side. */
export const terminateFrame: Uint8Array = Uint8Array.of(frameKinds.terminate, 0, 0);

/** Bytes as they come from the network, in pieces of any size → whole frames. */
export class AudioSocketFrames {
  private readonly chunks: Uint8Array[] = [];
  private readonly header = Buffer.alloc(3);
  private payload: Buffer | null = null;
  /** Bytes of the header, or of the payload where there is one, that are there. */
  private filled = 0;

  accept(bytes: Uint8Array): void {
    if (bytes.length > 0) this.chunks.push(bytes);
  }

  /** @returns the next whole frame, or null until more bytes come */
  read(): AudioSocketFrame | null {
    if (this.payload === null) {
      if (!this.fill(this.header)) return null;
      this.payload = Buffer.alloc(this.header.readUInt16BE(1));
      this.filled = 0;
    }
    if (!this.fill(this.payload)) return null;
    const frame = { kind: this.header.readUInt8(0), payload: this.payload };
    this.payload = null;
    this.filled = 0;
    return frame;
  }

  private fill(target: Buffer): boolean {
    while (this.filled < target.length) {
      const [chunk] = this.chunks;
      if (chunk === undefined) return false;
      const taken = chunk.subarray(0, target.length - this.filled);
      target.set(taken, this.filled);
      this.filled += taken.length;
      if (taken.length === chunk.length) this.chunks.shift();
      else this.chunks[0] = chunk.subarray(taken.length);
    }
    return true;
  }
}

/** 16 bytes → the usual text of a UUID. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
