import { Readable } from 'node:stream';
import { VoicegateError } from '../errors.js';
import { withFfmpegSlot } from './ffmpeg-slots.js';
import { requireFfmpeg } from './ffmpeg-presence.js';
import { runFfmpeg, type FfmpegJob, type FfmpegOutput } from './ffmpeg-process.js';
import { withPrivateFile } from './private-file.js';
import { samplesBeforeIndex, type Container } from './recognise.js';

export interface FfmpegLimits {
  /** Longest recording, seconds. */
  readonly maxSeconds: number;
  /** For one recording: waiting for a turn and decoding together. */
  readonly ffmpegTimeoutMs: number;
  /** A path, or a name to look up in PATH. */
  readonly ffmpegPath: string;
  /** How many ffmpeg processes may run at once; others wait their turn. */
  readonly ffmpegProcesses: number;
}

/** How ffmpeg reads a container: one named demuxer, and the only decoders that it may start. */
interface Reading {
  readonly demuxer: string;
  readonly decoders: readonly string[];
  readonly options?: readonly string[];
}

const mpegDecoders = ['mp3float', 'mp3', 'mp2float', 'mp2'];
const amrDecoders = ['amrnb', 'amrwb', 'libopencore_amrnb', 'libopencore_amrwb'];
const opusDecoders = ['opus', 'libopus'];

const readings: Readonly<Record<Container, Reading>> = {
  // Only WAV files whose codec wav.ts does not read come here: GSM 6.10 of call recorders, Microsoft ADPCM, MP3 in WAV.
  wav: { demuxer: 'wav', decoders: ['gsm_ms', 'libgsm_ms', 'adpcm_ms', ...mpegDecoders] },
  mp3: { demuxer: 'mp3', decoders: mpegDecoders },
  aac: { demuxer: 'aac', decoders: ['aac'] },
  flac: { demuxer: 'flac', decoders: ['flac'] },
  amr: { demuxer: 'amr', decoders: amrDecoders },
  ogg: { demuxer: 'ogg', decoders: [...opusDecoders, 'vorbis', 'libvorbis', 'flac', 'speex', 'libspeex'] },
  matroska: { demuxer: 'matroska', decoders: [...opusDecoders, 'vorbis', 'libvorbis', 'aac', 'flac', ...mpegDecoders] },
  mp4: {
    demuxer: 'mov',
    decoders: ['aac', 'alac', 'flac', ...opusDecoders, ...amrDecoders, ...mpegDecoders],
    // A track may name another file or address as the place of its samples; both switches keep that off.
    options: ['-enable_drefs', '0', '-use_absolute_path', '0'],
  },
};

/** No single buffer inside ffmpeg may be larger, whatever a header says. */
const MAX_ALLOCATION_BYTES = 64 * 1024 * 1024;
/** The fastest stereo recording that resampler.ts takes, 16 bits: the most that `-t` lets through for an honest file. */
const MAX_OUTPUT_BYTES_PER_SECOND = 192_000 * 2 * 2;

/**
 * Decodes a compressed recording in one ffmpeg process.
 *
 * The process reads its standard input and nothing else. The one exception is an MP4 whose samples come before its index: it is
 * lent a private file, and then the file protocol is the only one it may use. Nothing it writes to stderr goes into an error.
 *
 * @param signal ends the process early; its reason is thrown
 * @throws VoicegateError audio_decoder_missing, audio_decode_timeout, audio_too_long, audio_corrupt, busy
 */
export async function decodeWithFfmpeg(
  bytes: Uint8Array,
  container: Container,
  limits: FfmpegLimits,
  signal?: AbortSignal,
): Promise<FfmpegOutput> {
  signal?.throwIfAborted();
  await requireFfmpeg(limits.ffmpegPath);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(timedOut(container, limits.ffmpegTimeoutMs)), limits.ffmpegTimeoutMs);
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await withFfmpegSlot(limits.ffmpegProcesses, stop.signal, () => {
      const job = jobFor(container, limits, stop.signal);
      if (container === 'mp4' && samplesBeforeIndex(bytes)) {
        return withPrivateFile(bytes, (path) => runFfmpeg({ ...job, input: path, protocols: 'file' }));
      }
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return runFfmpeg({ ...job, input: Readable.from([whole], { objectMode: false }), protocols: 'pipe' });
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function jobFor(container: Container, limits: FfmpegLimits, stop: AbortSignal): Omit<FfmpegJob, 'input' | 'protocols'> {
  const { demuxer, decoders, options = [] } = readings[container];
  // One second more than allowed, so that what is too long is seen to be too long and not silently cut.
  const readSeconds = Math.ceil(limits.maxSeconds) + 1;
  return {
    ffmpegPath: limits.ffmpegPath,
    container,
    demuxer,
    inputOptions: [
      ...['-nostdin', '-hide_banner', '-nostats', '-threads', '1', '-max_alloc', String(MAX_ALLOCATION_BYTES)],
      ...['-codec_whitelist', decoders.join(','), '-t', String(readSeconds), ...options],
    ],
    maxOutputBytes: readSeconds * MAX_OUTPUT_BYTES_PER_SECOND,
    stop,
  };
}

const timedOut = (container: Container, timeoutMs: number): VoicegateError =>
  new VoicegateError('audio_decode_timeout', `Decoding the ${container} audio took more than ${timeoutMs} ms.`, {
    hint: 'Send a shorter recording, or WAV or G.711, which need no decoder.',
    details: { timeoutMs },
  });
