import type { KaldiFbankFrontEnd } from '../features/front-end.js';
import { createNetworkInput } from '../features/network-input.js';

/** One word each 16 ms. */
export const hopSeconds = 0.016;

const bands = 33;
const frontEnd: KaldiFbankFrontEnd = {
  kind: 'kaldi-fbank',
  sampleRateHz: 8000,
  frameLengthMs: 64,
  frameShiftMs: 1000 * hopSeconds,
  window: 'hann',
  preEmphasis: 0,
  removeDcOffset: true,
  snipEdges: true,
  melBins: bands,
  lowHz: 300,
  highHz: 3400,
  sampleScale: 32768,
  energyFloor: 1,
  normalisation: 'none',
};
const frames = createNetworkInput(frontEnd);

/** Frames that are averaged, and the distance of the two whose difference makes a bit. */
const smoothed = 20;
const lag = 8;
/** Frames quieter than the loudest by more than this make no word: noise has no fingerprint, nats of power. */
const quietNats = 7;

/** What a recording sounds like to a machine: survives coders, levels and noise, and tells two recordings of one sentence apart. */
export interface Fingerprint {
  /** A word of 32 bits each 16 ms. */
  readonly words: Uint32Array;
  /** 1 where something is to be heard. */
  readonly audible: Uint8Array;
}

/**
 * Signs of the differences between neighbouring bands and moments (after Haitsma and Kalker 2002): 33 mel bands from 300 to 3400 Hz, averaged over
 * about 0.2 s, bit m of word t is whether (E[t, m] − E[t, m+1]) − (E[t−4, m] − E[t−4, m+1]) is above 0.
 * @param samples 8 kHz; less than about a quarter of a second has no words
 */
export function fingerprint(samples: Float32Array): Fingerprint {
  const { values } = samples.length < 512 ? { values: new Float32Array() } : frames(samples);
  const count = Math.max(0, values.length / bands - smoothed + 1);
  const energies = new Float32Array(count * bands);
  const loudness = new Float32Array(count);
  for (let t = 0; t < count; t++) {
    let total = 0;
    for (let band = 0; band < bands; band++) {
      let sum = 0;
      for (let at = t; at < t + smoothed; at++) sum += Math.exp(values[at * bands + band]!);
      energies[t * bands + band] = Math.log(sum);
      total += sum;
    }
    loudness[t] = Math.log(total);
  }
  const loudest = loudness.reduce((most, value) => Math.max(most, value), -Infinity);
  const length = Math.max(0, count - lag);
  const words = new Uint32Array(length);
  const audible = new Uint8Array(length);
  for (let t = 0; t < length; t++) {
    const [before, now] = [t * bands, (t + lag) * bands];
    let word = 0;
    for (let band = 0; band < bands - 1; band++) {
      const slope =
        energies[now + band]! - energies[now + band + 1]! - energies[before + band]! + energies[before + band + 1]!;
      word = (word << 1) | (slope > 0 ? 1 : 0);
    }
    words[t] = word >>> 0;
    audible[t] = loudness[t]! > loudest - quietNats && loudness[t + lag]! > loudest - quietNats ? 1 : 0;
  }
  return { words, audible };
}

/**
 * Share of equal bits where both are audible.
 * @param offset word `t + offset` of `reference` stands against word t of `test`
 * @returns also how many words were compared
 */
export function agreement(
  test: Fingerprint,
  reference: Fingerprint,
  offset: number,
): { readonly share: number; readonly words: number } {
  let equal = 0;
  let compared = 0;
  const end = Math.min(test.words.length, reference.words.length - offset);
  for (let t = Math.max(0, -offset); t < end; t++) {
    if (test.audible[t] === 0 || reference.audible[t + offset] === 0) continue;
    equal += 32 - bitsSet(test.words[t]! ^ reference.words[t + offset]!);
    compared++;
  }
  return { share: compared === 0 ? 0 : equal / (32 * compared), words: compared };
}

/** Number of ones in 32 bits (the parallel count of Hacker's Delight, section 5-1). */
function bitsSet(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
