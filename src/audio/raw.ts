import { VoicegateError } from '../errors.js';
import { alawTable, expandG711, mulawTable } from './g711.js';
import type { RawFormat } from './media-type.js';

/** Bytes of one sample of one channel. */
export const rawSampleBytes = (encoding: RawFormat['encoding']): number => (encoding === 'l16' ? 2 : 1);

/**
 * One channel of headerless audio.
 *
 * @param bytes interleaved samples; L16 is big endian, as network order has it (RFC 3551 section 4.5.11)
 * @param channel from 0, below format.channels
 * @returns samples in [-1, 1), one per frame
 * @throws VoicegateError audio_corrupt when the bytes are not a whole number of frames
 */
export function readRaw(bytes: Uint8Array, format: RawFormat, channel: number): Float32Array {
  const frameBytes = rawSampleBytes(format.encoding) * format.channels;
  if (bytes.length % frameBytes !== 0) {
    throw new VoicegateError(
      'audio_corrupt',
      `${bytes.length} bytes are not a whole number of ${frameBytes}-byte frames.`,
      {
        hint: 'Send every sample of every channel whole, or correct the channels of the content type.',
        details: { bytes: bytes.length, frameBytes },
      },
    );
  }
  switch (format.encoding) {
    case 'mulaw':
      return expandG711(bytes, mulawTable, format.channels, channel);
    case 'alaw':
      return expandG711(bytes, alawTable, format.channels, channel);
    case 'l16':
      return readPcm16(bytes, format.channels, channel, false);
  }
}

/**
 * One channel of interleaved signed 16-bit samples; a trailing part of a frame is left out.
 *
 * @returns samples in [-1, 1), one per frame
 */
export function readPcm16(bytes: Uint8Array, channels: number, channel: number, littleEndian: boolean): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stepBytes = 2 * channels;
  const samples = new Float32Array(Math.floor(bytes.length / stepBytes));
  for (let frame = 0, at = 2 * channel; frame < samples.length; frame++, at += stepBytes) {
    samples[frame] = view.getInt16(at, littleEndian) / 32768;
  }
  return samples;
}
