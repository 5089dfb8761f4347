/**
 * The two companding laws of ITU-T G.711, as tables from the code byte to a sample in [-1, 1).
 * The expanded values are those of the Recommendation's tables 1a and 2a, left-justified in 16 bits, over 32768.
 */

const FULL_SCALE = 32768;
const MULAW_BIAS = 132;

/** G.711 table 2a: all bits inverted; sign, 3 bits of segment, 4 bits within it, biased by 33 (132 at 16 bits). */
function expandMulaw(code: number): number {
  const inverted = ~code & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + MULAW_BIAS) << ((inverted >> 4) & 0x07)) - MULAW_BIAS;
  return inverted & 0x80 ? -magnitude : magnitude;
}

/** G.711 table 1a: even bits inverted (0x55); the first two segments share one step, each next one doubles it. */
function expandAlaw(code: number): number {
  const toggled = code ^ 0x55;
  const segment = (toggled >> 4) & 0x07;
  const midpoint = ((toggled & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? midpoint : (midpoint + 0x100) << (segment - 1);
  return toggled & 0x80 ? magnitude : -magnitude;
}

const tableOf = (expand: (code: number) => number): Float32Array =>
  Float32Array.from({ length: 256 }, (_, code) => expand(code) / FULL_SCALE);

/** Sample in [-1, 1) of each µ-law code, indexed by the byte. */
export const mulawTable: Float32Array = tableOf(expandMulaw);

/** Sample in [-1, 1) of each A-law code, indexed by the byte. */
export const alawTable: Float32Array = tableOf(expandAlaw);

/**
 * One channel of interleaved G.711.
 *
 * @param codes interleaved code bytes; a trailing part of a frame is left out
 * @param table mulawTable or alawTable
 * @param channels interleaved channels, at least 1
 * @param channel which of them, from 0
 * @returns samples in [-1, 1), one per frame
 */
export function expandG711(codes: Uint8Array, table: Float32Array, channels: number, channel: number): Float32Array {
  const samples = new Float32Array(Math.floor(codes.length / channels));
  for (let frame = 0, at = channel; frame < samples.length; frame++, at += channels) {
    samples[frame] = table[codes[at]!]!;
  }
  return samples;
}
