import { setImmediate as nextTurn } from 'node:timers/promises';
import wavefile from 'wavefile';
import { VoicegateError } from '../errors.js';
import { alawTable, expandG711, mulawTable } from './g711.js';
import { decodeImaAdpcm, imaFramesPerBlock } from './ima-adpcm.js';
import { readPcm16 } from './raw.js';
import type { WavHeader } from './wav-header.js';

const PCM = 1;
const FLOAT = 3;
const ALAW = 6;
const MULAW = 7;
const IMA_ADPCM = 0x11;

/** The kinds of WAV that need no process, as DecodedAudio names them. */
export type WavKind = 'alaw' | 'mulaw' | 'ima-adpcm' | 'float32' | 'float64' | 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32';

/**
 * Which of our kinds a header describes; undefined for a codec that is none of ours.
 *
 * @throws VoicegateError audio_format_unsupported for a sample width outside these kinds, audio_corrupt when
 *   the header's frame length contradicts its own width and channels
 */
export function wavKindOf(header: WavHeader): WavKind | undefined {
  const { formatTag, bitsPerSample, channels, blockAlignBytes } = header;
  if (formatTag === IMA_ADPCM) return 'ima-adpcm';
  if (formatTag !== PCM && formatTag !== FLOAT && formatTag !== ALAW && formatTag !== MULAW) return undefined;
  const sampleBytes = Math.ceil(bitsPerSample / 8);
  const kind = kindByWidth(formatTag, sampleBytes);
  if (kind === undefined) {
    throw new VoicegateError('audio_format_unsupported', `WAV samples of ${bitsPerSample} bits are not read.`, {
      hint: 'Send 8, 16, 24 or 32-bit integers, 32 or 64-bit floats, A-law, µ-law or IMA ADPCM.',
      details: { formatTag, bitsPerSample },
    });
  }
  if (blockAlignBytes !== sampleBytes * channels) {
    const message = `The WAV header says frames of ${blockAlignBytes} bytes for ${channels} channels of ${bitsPerSample} bits.`;
    throw new VoicegateError('audio_corrupt', message, {
      hint: 'Send the WAV file as the recorder wrote it.',
      details: { blockAlignBytes, channels, bitsPerSample },
    });
  }
  return kind;
}

function kindByWidth(formatTag: number, sampleBytes: number): WavKind | undefined {
  if (formatTag === FLOAT) return sampleBytes === 4 ? 'float32' : sampleBytes === 8 ? 'float64' : undefined;
  if (formatTag === PCM) return ([undefined, 'pcm8', 'pcm16', 'pcm24', 'pcm32'] as const)[sampleBytes];
  if (sampleBytes !== 1) return undefined;
  return formatTag === ALAW ? 'alaw' : 'mulaw';
}

/**
 * How long the samples of a header last, seconds, before anything is decoded.
 *
 * @throws VoicegateError audio_corrupt for impossible ADPCM blocks
 */
export function wavSeconds(header: WavHeader, kind: WavKind): number {
  const { data, blockAlignBytes, channels, sampleRateHz } = header;
  const framesPerBlock = kind === 'ima-adpcm' ? imaFramesPerBlock(blockAlignBytes, channels) : 1;
  return ((data.length / blockAlignBytes) * framesPerBlock) / sampleRateHz;
}

/**
 * One channel of a WAV file.
 *
 * @param channel from 0, below header.channels
 * @returns samples in [-1, 1], one per frame
 * @throws VoicegateError audio_corrupt for floats that are no numbers and for impossible ADPCM blocks
 */
export async function readWav(header: WavHeader, kind: WavKind, channel: number): Promise<Float32Array> {
  const { data, channels, littleEndian } = header;
  switch (kind) {
    case 'mulaw':
      return expandG711(data, mulawTable, channels, channel);
    case 'alaw':
      return expandG711(data, alawTable, channels, channel);
    case 'pcm16':
      return readPcm16(data, channels, channel, littleEndian);
    case 'float32':
    case 'float64':
      return readFloats(header, kind === 'float32' ? 4 : 8, channel);
    case 'ima-adpcm':
      return decodeImaAdpcm(data, header.blockAlignBytes, channels, channel, header.factFrames);
    case 'pcm8':
      return readIntegers(header, 1, channel);
    case 'pcm24':
      return readIntegers(header, 3, channel);
    case 'pcm32':
      return readIntegers(header, 4, channel);
  }
}

/** Floats beyond full scale are kept at full scale, so that the quality report sees them as clipped. */
function readFloats(header: WavHeader, sampleBytes: 4 | 8, channel: number): Float32Array {
  const { data, channels, littleEndian } = header;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const samples = new Float32Array(Math.floor(data.length / (sampleBytes * channels)));
  for (let frame = 0; frame < samples.length; frame++) {
    const at = (frame * channels + channel) * sampleBytes;
    const value = sampleBytes === 4 ? view.getFloat32(at, littleEndian) : view.getFloat64(at, littleEndian);
    if (!Number.isFinite(value)) {
      throw new VoicegateError('audio_corrupt', 'The WAV file has samples that are not finite numbers.', {
        hint: 'Send float samples between -1 and 1.',
        details: { atFrame: frame },
      });
    }
    samples[frame] = Math.max(-1, Math.min(1, value));
  }
  return samples;
}

/** At 0.1 to 0.25 µs a sample, wavefile holds the event loop for about 4 ms with this many. */
const SLICE_FRAMES = 16_384;

/**
 * The rarer integer widths, through wavefile. It never sees the upload's own chunks: 36 kB of small LIST chunks
 * hold it for 7 s. It gets a header of ours before the samples of the one channel, slice by slice, with a turn for others in between.
 */
async function readIntegers(header: WavHeader, sampleBytes: 1 | 3 | 4, channel: number): Promise<Float32Array> {
  const { data, channels, littleEndian } = header;
  const samples = new Float32Array(Math.floor(data.length / (sampleBytes * channels)));
  const isUnsigned = sampleBytes === 1;
  const fullScale = 2 ** (8 * sampleBytes - 1);
  for (let first = 0; first < samples.length; first += SLICE_FRAMES) {
    if (first > 0) await nextTurn();
    const frames = Math.min(SLICE_FRAMES, samples.length - first);
    const file = monoFile(frames, sampleBytes, littleEndian);
    for (let frame = 0, to = 44; frame < frames; frame++) {
      const at = ((first + frame) * channels + channel) * sampleBytes;
      for (let byte = 0; byte < sampleBytes; byte++) file[to++] = data[at + byte]!;
    }
    const integers = new wavefile.WaveFile(file).getSamples(true);
    for (let frame = 0; frame < frames; frame++) {
      samples[first + frame] = (integers[frame]! - (isUnsigned ? fullScale : 0)) / fullScale;
    }
  }
  return samples;
}

/** A mono PCM file of that length, its samples still zero. The rate plays no part in reading them. */
function monoFile(frames: number, sampleBytes: number, littleEndian: boolean): Uint8Array {
  const dataBytes = frames * sampleBytes;
  const file = Buffer.alloc(44 + dataBytes);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  file.write(littleEndian ? 'RIFF' : 'RIFX', 0, 'ascii');
  view.setUint32(4, 36 + dataBytes, littleEndian);
  file.write('WAVEfmt ', 8, 'ascii');
  view.setUint32(16, 16, littleEndian);
  view.setUint16(20, PCM, littleEndian);
  view.setUint16(22, 1, littleEndian);
  view.setUint32(24, 8000, littleEndian);
  view.setUint32(28, 8000 * sampleBytes, littleEndian);
  view.setUint16(32, sampleBytes, littleEndian);
  view.setUint16(34, 8 * sampleBytes, littleEndian);
  file.write('data', 36, 'ascii');
  view.setUint32(40, dataBytes, littleEndian);
  return file;
}
