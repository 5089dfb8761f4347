import { resample } from '../audio/decode.js';
import { keptSpeech } from '../audio/kept-speech.js';
import { assessQuality } from '../audio/quality.js';
import type { SpeechActivityDetector } from '../audio/speech-activity.js';
import type { Waveform } from '../audio/waveform.js';
import type { Embedder } from '../embedding/embedder.js';

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
 * Waveform → embedding, the way the service takes it (without its search for a second voice): speech activity, kept speech, network.
 * @param parts.part `whole` gives the network everything, also where the detector hears nobody
 */
export function createRecordingEar(parts: {
  readonly activity: SpeechActivityDetector;
  readonly embedder: Embedder;
  readonly part: SpeechPart;
}): (waveform: Waveform) => Promise<HeardSpeech> {
  const { activity, embedder, part } = parts;
  return async (waveform) => {
    const found = await activity.detect(waveform);
    const { netSpeechSeconds, snrDb } = assessQuality(waveform, found);
    const unheard = { vector: null, netSpeechSeconds, snrDb };
    if (part === 'kept' && netSpeechSeconds < leastSpeechSeconds) return unheard;
    const speech = part === 'kept' ? keptSpeech(waveform, found) : waveform.samples;
    const samples = await resample(speech, waveform.sampleRateHz, embedder.sampleRateHz);
    if (samples.length < embedder.shortestSamples) return unheard;
    const { vector } = await embedder.embed(samples, netSpeechSeconds);
    return { vector, netSpeechSeconds, snrDb };
  };
}
