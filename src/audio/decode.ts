import { setImmediate as nextTurn } from 'node:timers/promises';
import { VoicegateError } from '../errors.js';
import { chooseChannel, type ChannelChoice } from './channel.js';
import { decodeWithFfmpeg, type FfmpegLimits } from './ffmpeg.js';
import { rawFormatOf, type RawFormat } from './media-type.js';
import { rawSampleBytes, readRaw } from './raw.js';
import { recognise, type Container } from './recognise.js';
import { assertRate, Resampler } from './resampler.js';
import { looksLikeWav, readWavHeader, type WavHeader } from './wav-header.js';
import { readWav, wavKindOf, wavSeconds, type WavKind } from './wav.js';
import type { DecodedAudio } from './waveform.js';

export interface AudioLimits extends FfmpegLimits {
  /** Largest upload, bytes. */
  readonly maxBytes: number;
}

export interface DecodeOptions {
  /** Content-Type of the upload or its part. Decides for headerless audio only; everything else is told by its bytes. */
  readonly contentType?: string | undefined;
  /** Default 'mono': a recording of several channels is refused until one is chosen. */
  readonly channel?: ChannelChoice | undefined;
  /** Rate of the result, Hz. */
  readonly targetRateHz: number;
  readonly limits: AudioLimits;
  /** Ends a decoder process early (the client went away); its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** One channel at the recording's own rate. */
interface Recording {
  readonly samples: Float32Array;
  readonly format: string;
  readonly sampleRateHz: number;
  readonly channels: number;
}

/**
 * Turns an upload into mono samples at the rate asked for. Headerless G.711 and L16 and the usual kinds of WAV are decoded
 * here; other containers go through one bounded ffmpeg process.
 *
 * @param bytes the whole upload
 * @throws VoicegateError audio_empty, audio_too_large, audio_too_long, audio_not_recognised, audio_format_unsupported, audio_corrupt,
 *   audio_channel_invalid, audio_rate_unsupported, audio_decoder_missing, audio_decode_timeout, busy
 */
export async function decodeAudio(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedAudio> {
  assertUploadSize(bytes, options.limits);
  const recording = await readRecording(bytes, options);
  if (recording.samples.length === 0) {
    throw new VoicegateError('audio_empty', `The ${recording.format} audio holds no samples.`, {
      hint: 'Send a recording that is not empty.',
    });
  }
  return {
    waveform: {
      samples: await resample(recording.samples, recording.sampleRateHz, options.targetRateHz),
      sampleRateHz: options.targetRateHz,
    },
    format: recording.format,
    sourceRateHz: recording.sampleRateHz,
    sourceChannels: recording.channels,
  };
}

async function readRecording(bytes: Uint8Array, options: DecodeOptions): Promise<Recording> {
  // A WAV header is not G.711 speech by accident: senders that label WAV as audio/basic mean the WAV.
  const raw = looksLikeWav(bytes) ? undefined : rawFormatOf(options.contentType);
  if (raw !== undefined) return readRawRecording(bytes, raw, options);

  const container = requireContainer(bytes);
  if (container === 'wav') {
    const header = readWavHeader(bytes);
    // Before the widths, which a header of no channels contradicts as well.
    chooseChannel(header.channels, options.channel ?? 'mono');
    const kind = wavKindOf(header);
    if (kind !== undefined) return readWavRecording(header, kind, `wav/${kind}`, options);
  }
  const { wav, codec } = await decodeWithFfmpeg(bytes, container, options.limits, options.signal);
  const format = codec === undefined || codec === container ? container : `${container}/${codec}`;
  return readWavRecording(readWavHeader(wav), 'pcm16', format, options);
}

function readRawRecording(bytes: Uint8Array, raw: RawFormat, options: DecodeOptions): Recording {
  const channel = chooseChannel(raw.channels, options.channel ?? 'mono');
  assertRate(raw.sampleRateHz, options.targetRateHz);
  assertLength(bytes.length / (rawSampleBytes(raw.encoding) * raw.channels * raw.sampleRateHz), options.limits);
  const samples = readRaw(bytes, raw, channel);
  return { samples, format: `raw/${raw.encoding}`, sampleRateHz: raw.sampleRateHz, channels: raw.channels };
}

async function readWavRecording(
  header: WavHeader,
  kind: WavKind,
  format: string,
  options: DecodeOptions,
): Promise<Recording> {
  const channel = chooseChannel(header.channels, options.channel ?? 'mono');
  assertRate(header.sampleRateHz, options.targetRateHz);
  assertLength(wavSeconds(header, kind), options.limits);
  const samples = await readWav(header, kind, channel);
  return { samples, format, sampleRateHz: header.sampleRateHz, channels: header.channels };
}

function requireContainer(bytes: Uint8Array): Container {
  const found = recognise(bytes);
  switch (found.kind) {
    case 'container':
      return found.container;
    case 'unsupported':
      throw new VoicegateError('audio_format_unsupported', `The upload is ${found.name}, which is not read.`, {
        hint: 'Send WAV, G.711, MP3, Ogg, FLAC, MP4, AMR or WebM.',
      });
    case 'unknown':
      throw new VoicegateError('audio_not_recognised', 'The bytes begin like no audio format that is read.', {
        hint: 'Send WAV, MP3, Ogg, FLAC, MP4, AMR or WebM; for audio without a header name it: audio/PCMU, audio/PCMA, audio/L16;rate=8000.',
      });
  }
}

function assertUploadSize(bytes: Uint8Array, limits: AudioLimits): void {
  if (bytes.length === 0) {
    throw new VoicegateError('audio_empty', 'The upload has no bytes.', {
      hint: 'Send a recording that is not empty.',
    });
  }
  if (bytes.length > limits.maxBytes) {
    throw new VoicegateError('audio_too_large', `The upload has ${bytes.length} bytes.`, {
      hint: `Send at most ${limits.maxBytes} bytes.`,
      details: { bytes: bytes.length, maxBytes: limits.maxBytes },
    });
  }
}

function assertLength(seconds: number, limits: AudioLimits): void {
  if (seconds > limits.maxSeconds) {
    throw new VoicegateError('audio_too_long', `The audio lasts longer than ${limits.maxSeconds} seconds.`, {
      hint: 'Send only the part in which the caller speaks.',
      details: { maxSeconds: limits.maxSeconds },
    });
  }
}

/** Coefficients times samples between two turns of the event loop: about 4 ms. */
const WORK_PER_TURN = 4_000_000;

/** The whole recording at the target rate, round(n · target / source) samples, never beyond full scale; itself when the rates are equal. */
export async function resample(
  samples: Float32Array,
  sampleRateHz: number,
  targetRateHz: number,
): Promise<Float32Array> {
  if (sampleRateHz === targetRateHz) return samples;
  const resampler = new Resampler(sampleRateHz, targetRateHz);
  const slice = Math.ceil(WORK_PER_TURN / resampler.workPerInput);
  const result = new Float32Array(Math.round((samples.length * targetRateHz) / sampleRateHz));
  let written = 0;
  for (let from = 0; from < samples.length; from += slice) {
    if (from > 0) await nextTurn();
    resampler.accept(samples.subarray(from, from + slice));
    if (from + slice >= samples.length) resampler.finish();
    // A clipped recording overshoots between its samples.
    for (const sample of resampler.read()) result[written++] = Math.max(-1, Math.min(1, sample));
  }
  return result;
}
