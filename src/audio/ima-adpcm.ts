import { VoicegateError } from '../errors.js';

/** Step sizes and step-index changes of IMA ADPCM (IMA Digital Audio Focus and Technical Working Groups, 1992). */
const STEPS = Int16Array.of(
  ...[7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107],
  ...[
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
  ],
  ...[1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894],
  ...[6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794],
  32767,
);
const INDEX_CHANGES = Int8Array.of(-1, -1, -1, -1, 2, 4, 6, 8);

/** Per channel: the first sample (16 bits), the step index, a zero. */
const BLOCK_HEAD_BYTES = 4;
/** Then four bytes, eight samples, of each channel in turn. */
const GROUP_BYTES = 4;
const GROUP_SAMPLES = 8;

/**
 * Samples of each channel in one whole block.
 *
 * @throws VoicegateError audio_corrupt when blocks of that length cannot hold that many channels
 */
export function imaFramesPerBlock(blockAlignBytes: number, channels: number): number {
  const groupBytes = blockAlignBytes - BLOCK_HEAD_BYTES * channels;
  if (groupBytes < 0 || groupBytes % (GROUP_BYTES * channels) !== 0) {
    throw new VoicegateError(
      'audio_corrupt',
      `IMA ADPCM blocks of ${blockAlignBytes} bytes cannot hold ${channels} channels.`,
      {
        hint: 'Send the whole WAV file as the recorder wrote it.',
        details: { blockAlignBytes, channels },
      },
    );
  }
  return 1 + (groupBytes / (GROUP_BYTES * channels)) * GROUP_SAMPLES;
}

/**
 * One channel of the IMA ADPCM that WAV files hold (format tag 0x11), little endian.
 * Ours, because wavefile repeats the first sample of each block, leaves out the last block, and knows no stereo.
 *
 * @param data whole blocks; the last may be cut after a whole group
 * @param frames how many samples there are by the header, where it says so: the last block is padded
 * @returns samples in [-1, 1)
 * @throws VoicegateError audio_corrupt when the block length or a block's step index is impossible
 */
export function decodeImaAdpcm(
  data: Uint8Array,
  blockAlignBytes: number,
  channels: number,
  channel: number,
  frames: number | undefined,
): Float32Array {
  const headBytes = BLOCK_HEAD_BYTES * channels;
  const strideBytes = GROUP_BYTES * channels;
  const blocks = Math.ceil(data.length / blockAlignBytes);
  const samples = new Float32Array(blocks * imaFramesPerBlock(blockAlignBytes, channels));
  let written = 0;

  for (let block = 0; block + headBytes <= data.length; block += blockAlignBytes) {
    const head = block + BLOCK_HEAD_BYTES * channel;
    let predictor = ((data[head]! | (data[head + 1]! << 8)) << 16) >> 16;
    let index = data[head + 2]!;
    if (index >= STEPS.length) {
      throw new VoicegateError(
        'audio_corrupt',
        `An IMA ADPCM block begins with step index ${index}; 88 is the highest.`,
        {
          hint: 'Send the whole WAV file as the recorder wrote it.',
          details: { stepIndex: index, atByte: block },
        },
      );
    }
    samples[written++] = predictor / 32768;
    const end = Math.min(block + blockAlignBytes, data.length);
    for (let group = block + headBytes + GROUP_BYTES * channel; group + GROUP_BYTES <= end; group += strideBytes) {
      for (let half = 0; half < GROUP_SAMPLES; half++) {
        const nibble = (data[group + (half >> 1)]! >> (half & 1 ? 4 : 0)) & 0x0f;
        const step = STEPS[index]!;
        let change = step >> 3;
        if (nibble & 4) change += step;
        if (nibble & 2) change += step >> 1;
        if (nibble & 1) change += step >> 2;
        predictor = Math.max(-32768, Math.min(32767, nibble & 8 ? predictor - change : predictor + change));
        index = Math.max(0, Math.min(88, index + INDEX_CHANGES[nibble & 7]!));
        samples[written++] = predictor / 32768;
      }
    }
  }
  return samples.subarray(0, frames !== undefined && frames > 0 ? Math.min(written, frames) : written);
}
