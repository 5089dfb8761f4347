import { VoicegateError } from '../errors.js';
import { throughCodec, type Codec } from './codec.js';
import { withPinkNoise } from './noise.js';
import { telephoneBand, throughTelephone } from './telephone.js';

/** What recordings go through before they are heard. */
export interface Channel {
  /** As given on the command line; `plain` changes nothing. */
  readonly name: string;
  /**
   * @param samples 8 kHz, [-1, 1]
   * @param seed for what is drawn: the same for the same recording
   * @returns as many samples
   * @throws VoicegateError `audio_decoder_missing` where a coder is not there
   */
  apply(samples: Float32Array, seed: number): Promise<Float32Array>;
}

/** What channels there are, for help texts. */
export const channelNames =
  'plain, band (300 to 3400 Hz), g711u, g711a and gsm (band, then the coder), opusNN (NN kbit/s, 6 to 64), noiseNN (pink, NN dB SNR, 0 to 40)';

/** Recordings as they are. */
export const plainChannel: Channel = { name: 'plain', apply: async (samples) => samples };

/**
 * A channel by its name.
 * @param ffmpegPath for those that need a coder
 * @throws VoicegateError `invalid_request` for a name that is none
 */
export function channelOf(name: string, ffmpegPath: string): Channel {
  const [, kind = name, number] = /^(opus|noise)([0-9]{1,2})$/.exec(name) ?? [];
  const value = Number(number);
  switch (kind) {
    case 'plain':
      return plainChannel;
    case 'band':
      return { name, apply: async (samples) => telephoneBand(samples) };
    case 'g711u':
      return { name, apply: async (samples) => throughTelephone(samples, 'mulaw') };
    case 'g711a':
      return { name, apply: async (samples) => throughTelephone(samples, 'alaw') };
    case 'gsm': {
      const codec: Codec = { name, encoder: 'libgsm', container: 'gsm', options: [] };
      return { name, apply: (samples) => throughCodec(telephoneBand(samples), codec, ffmpegPath) };
    }
    case 'opus': {
      if (!(value >= 6 && value <= 64)) break;
      const options = ['-b:a', `${value}k`, '-application', 'voip'];
      const codec: Codec = { name, encoder: 'libopus', container: 'ogg', options };
      return { name, apply: (samples) => throughCodec(samples, codec, ffmpegPath) };
    }
    case 'noise':
      if (!(value >= 0 && value <= 40)) break;
      return { name, apply: async (samples, seed) => withPinkNoise(samples, value, seed) };
  }
  throw new VoicegateError('invalid_request', `${name} is not a channel`, { hint: `Channels are ${channelNames}` });
}
