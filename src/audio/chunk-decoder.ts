import { alawTable, expandG711, mulawTable } from './g711.js';
import { readPcm16 } from './raw.js';
import { assertRate, Resampler } from './resampler.js';
import { VoicegateError } from '../errors.js';

/** Headerless audio of a stream. */
export interface ChunkFormat {
  /** `l16-be` is network order (RFC 3551), `l16-le` what media servers send. */
  readonly encoding: 'l16-le' | 'l16-be' | 'mulaw' | 'alaw';
  readonly sampleRateHz: number;
  /** Interleaved channels, 1 or 2. */
  readonly channels: number;
}

const none = new Uint8Array(0);

/**
 * Bytes of a stream, cut anywhere, → samples of each channel at the rate wanted. `accept` any number of times, `finish` once. What comes out, put
 * together, does not depend to the last bit on how the bytes were cut: part of a sample is kept for the next call.
 */
export class ChunkDecoder {
  private readonly frameBytes: number;
  private readonly resamplers: readonly (Resampler | null)[];
  private part = none;

  /** @throws VoicegateError `audio_rate_unsupported`, `audio_channel_invalid` */
  constructor(
    private readonly format: ChunkFormat,
    targetRateHz: number,
  ) {
    const { encoding, sampleRateHz, channels } = format;
    assertRate(sampleRateHz, targetRateHz);
    if (channels !== 1 && channels !== 2) {
      throw new VoicegateError('audio_channel_invalid', `A stream of ${channels} channels`, {
        hint: 'Send one or two.',
      });
    }
    this.frameBytes = (encoding === 'l16-le' || encoding === 'l16-be' ? 2 : 1) * channels;
    this.resamplers = Array.from({ length: channels }, () =>
      sampleRateHz === targetRateHz ? null : new Resampler(sampleRateHz, targetRateHz),
    );
  }

  /** @returns for each channel the samples that became ready, in [-1, 1], perhaps none */
  accept(bytes: Uint8Array): Float32Array[] {
    const joined = this.part.length === 0 ? bytes : Buffer.concat([this.part, bytes]);
    const whole = joined.length - (joined.length % this.frameBytes);
    this.part = whole === joined.length ? none : joined.slice(whole);
    return this.resamplers.map((resampler, channel) => {
      const samples = this.samples(joined.subarray(0, whole), channel);
      if (resampler === null) return samples;
      resampler.accept(samples);
      return held(resampler.read());
    });
  }

  /** Silence in place of `seconds` that are lost; what was held of a sample is lost too. */
  skip(seconds: number): Float32Array[] {
    this.part = none;
    const silence = new Float32Array(Math.round(seconds * this.format.sampleRateHz));
    return this.resamplers.map((resampler) => {
      if (resampler === null) return silence;
      resampler.accept(silence);
      return held(resampler.read());
    });
  }

  /** The last samples; part of a sample is dropped. */
  finish(): Float32Array[] {
    this.part = none;
    return this.resamplers.map((resampler) => {
      resampler?.finish();
      return resampler === null ? new Float32Array(0) : held(resampler.read());
    });
  }

  private samples(bytes: Uint8Array, channel: number): Float32Array {
    const { encoding, channels } = this.format;
    switch (encoding) {
      case 'mulaw':
        return expandG711(bytes, mulawTable, channels, channel);
      case 'alaw':
        return expandG711(bytes, alawTable, channels, channel);
      case 'l16-le':
        return readPcm16(bytes, channels, channel, true);
      case 'l16-be':
        return readPcm16(bytes, channels, channel, false);
    }
  }
}

/** In place: a clipped signal overshoots between its samples. */
function held(samples: Float32Array): Float32Array {
  for (let n = 0; n < samples.length; n++) samples[n] = Math.max(-1, Math.min(1, samples[n] as number));
  return samples;
}
