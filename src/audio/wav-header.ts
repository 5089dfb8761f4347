import { VoicegateError } from '../errors.js';

/** What a RIFF, RIFX or RF64 header promises, checked against the bytes that are there. */
export interface WavHeader {
  /** WAVE format tag; for WAVE_FORMAT_EXTENSIBLE the tag inside its sub-format. */
  readonly formatTag: number;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly bitsPerSample: number;
  readonly blockAlignBytes: number;
  readonly littleEndian: boolean;
  /** The samples: a view into the file, never beyond its end. */
  readonly data: Uint8Array;
  /** Frames by the `fact` chunk, which block codecs need to cut the last block; absent or 0 when not said. */
  readonly factFrames: number | undefined;
}

const EXTENSIBLE = 0xfffe;
/** Sub-formats xxxxxxxx-0000-0010-8000-00AA00389B71 stand for the plain format tag x (Microsoft, KSDATAFORMAT_SUBTYPE). */
const TAG_GUID_END = '800000aa00389b71';

/**
 * Data lengths that writers to a pipe leave because they cannot go back: ffmpeg and GStreamer, arecord, others' INT_MAX, sox.
 * With these, the samples are whatever follows.
 */
const UNKNOWN_LENGTHS: readonly number[] = [0xffffffff, 0x80000000, 0x7fffffff, 0x7ffff000];

const corrupt = (message: string, details?: Record<string, number | string>): VoicegateError =>
  new VoicegateError('audio_corrupt', message, {
    hint: 'Send the whole WAV file as the recorder closed it.',
    ...(details === undefined ? {} : { details }),
  });

/** True where the bytes begin as a WAV file of either byte order, or RF64, does. */
export function looksLikeWav(bytes: Uint8Array): boolean {
  const container = ascii(bytes, 0);
  return (container === 'RIFF' || container === 'RIFX' || container === 'RF64') && ascii(bytes, 8) === 'WAVE';
}

/**
 * Walks the chunks up to the samples, in one pass, copying nothing.
 *
 * @param bytes a file for which looksLikeWav holds
 * @throws VoicegateError audio_corrupt: a chunk, the format or the samples are missing, cut, or longer than the file
 */
export function readWavHeader(bytes: Uint8Array): WavHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = ascii(bytes, 0) !== 'RIFX';
  let format: Omit<WavHeader, 'data' | 'factFrames'> | undefined;
  let factFrames: number | undefined;
  let longDataBytes: number | undefined;

  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = ascii(bytes, at);
    const sizeBytes = view.getUint32(at + 4, littleEndian);
    const start = at + 8;
    if (id === 'data') {
      if (format === undefined) throw corrupt('The WAV file has samples but no format before them.');
      const declaredBytes = sizeBytes === 0xffffffff && longDataBytes !== undefined ? longDataBytes : sizeBytes;
      return { ...format, factFrames, data: dataOf(bytes, start, declaredBytes, view.getUint32(4, littleEndian)) };
    }
    if (start + sizeBytes > bytes.length) {
      const details = { chunk: printable(id), declaredBytes: sizeBytes, presentBytes: bytes.length - start };
      throw corrupt(`The WAV file ends inside its ${details.chunk} chunk.`, details);
    }
    if (id === 'fmt ') format = formatOf(view, start, sizeBytes, littleEndian);
    if (id === 'fact' && sizeBytes >= 4) factFrames = view.getUint32(start, littleEndian);
    if (id === 'ds64' && sizeBytes >= 16) longDataBytes = Number(view.getBigUint64(start + 8, littleEndian));
    at = start + sizeBytes + (sizeBytes % 2);
  }
  throw corrupt('The WAV file ends before its samples.', { presentBytes: bytes.length });
}

function formatOf(
  view: DataView,
  at: number,
  sizeBytes: number,
  littleEndian: boolean,
): Omit<WavHeader, 'data' | 'factFrames'> {
  if (sizeBytes < 16) throw corrupt('The format chunk of the WAV file is too short.', { declaredBytes: sizeBytes });
  let formatTag = view.getUint16(at, littleEndian);
  if (formatTag === EXTENSIBLE) {
    if (sizeBytes < 40) throw corrupt('The extensible format chunk is too short.', { declaredBytes: sizeBytes });
    const guidEnd = Buffer.from(view.buffer, view.byteOffset + at + 32, 8).toString('hex');
    const isTag = view.getUint16(at + 28, littleEndian) === 0 && view.getUint16(at + 30, littleEndian) === 0x10;
    if (!isTag || guidEnd !== TAG_GUID_END) {
      throw new VoicegateError(
        'audio_format_unsupported',
        'The WAV file holds a codec that is known by a private GUID.',
        {
          hint: 'Send WAV with PCM, G.711 or IMA ADPCM.',
        },
      );
    }
    formatTag = view.getUint32(at + 24, littleEndian);
  }
  return {
    formatTag,
    littleEndian,
    channels: view.getUint16(at + 2, littleEndian),
    sampleRateHz: view.getUint32(at + 4, littleEndian),
    blockAlignBytes: view.getUint16(at + 12, littleEndian),
    bitsPerSample: view.getUint16(at + 14, littleEndian),
  };
}

/** The samples that are there, where the declared length agrees with the file or is a known placeholder. */
function dataOf(bytes: Uint8Array, start: number, declaredBytes: number, riffBytes: number): Uint8Array {
  const presentBytes = bytes.length - start;
  // A zero length is a placeholder only if the length of the whole was left open too: else the file is just empty.
  const leftOpen = UNKNOWN_LENGTHS.includes(declaredBytes) || (declaredBytes === 0 && riffBytes + 8 < bytes.length);
  if (leftOpen) return bytes.subarray(start);
  if (declaredBytes > presentBytes) {
    throw corrupt(`The WAV file says ${declaredBytes} bytes of samples follow; ${presentBytes} do.`, {
      declaredBytes,
      presentBytes,
    });
  }
  return bytes.subarray(start, start + declaredBytes);
}

function ascii(bytes: Uint8Array, at: number): string {
  return at + 4 <= bytes.length ? String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!) : '';
}

/** A chunk name that is safe in a message. */
const printable = (id: string): string => id.replace(/[^\x20-\x7e]/g, '?').trim();
