import { resample } from '../audio/decode.js';
import type { SpeechActivityDetector } from '../audio/speech-activity.js';
import { trackOf } from '../audio/speech-track.js';
import type { Waveform } from '../audio/waveform.js';
import type { Embedder } from '../embedding/embedder.js';
import { RunningVoice } from '../scoring/running-voice.js';

/** A recording as a speaker model hears it. */
export interface HeardSpeech {
  /** Unit length; null when there is too little to embed: a failure to acquire. */
  readonly vector: Float32Array | null;
  readonly netSpeechSeconds: number;
  /** Null where there is no pause to measure noise in. */
  readonly snrDb: number | null;
}

/** Which part of a recording the embedding network is given: what the service keeps around speech, or all of it. */
export type SpeechPart = 'kept' | 'whole';

/** Least net speech that is embedded, as in the service, seconds. */
export const leastSpeechSeconds = 0.3;

/**
 * Waveform → embedding, the way the service takes it (without its search for a second voice): speech activity, windows of kept speech, network.
 * @param parts.part `whole` gives the network everything, also where the detector hears nobody
 */
export function createRecordingEar(parts: {
  readonly activity: SpeechActivityDetector;
  readonly embedder: Embedder;
  readonly part: SpeechPart;
}): (waveform: Waveform) => Promise<HeardSpeech> {
  const { activity, embedder, part } = parts;
  const leastSeconds = Math.max(leastSpeechSeconds, embedder.shortestSamples / embedder.sampleRateHz);
  const vectorOf = async (samples: Float32Array, sampleRateHz: number): Promise<Float32Array> =>
    (await embedder.embed(await resample(samples, sampleRateHz, embedder.sampleRateHz), 0)).vector;
  return async (waveform) => {
    const { samples, sampleRateHz } = waveform;
    const track = trackOf(waveform, await activity.detect(waveform));
    const { netSpeechSeconds, snrDb } = track.report();
    if ((part === 'kept' ? netSpeechSeconds : samples.length / sampleRateHz) < leastSeconds) {
      return { vector: null, netSpeechSeconds, snrDb };
    }
    if (part === 'whole') return { vector: await vectorOf(samples, sampleRateHz), netSpeechSeconds, snrDb };
    const voice = new RunningVoice();
    for (const window of track.readWindows()) {
      voice.add(await vectorOf(window.samples, sampleRateHz), window.netSpeechSeconds);
    }
    return { vector: voice.mean(), netSpeechSeconds, snrDb };
  };
}
