import type { SampleSpan } from '../src/audio/waveform.js';

/** `white`: Gaussian. `pink`: 1/f in power, flat below about 30 Hz. `babble`: eight voices of other files over one another, each at the same level. */
export type NoiseKind = 'white' | 'pink' | 'babble';
export const noiseKinds: readonly NoiseKind[] = ['white', 'pink', 'babble'];

/** Numbers in [0, 1), the same in every run (mulberry32; not for secrets). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Speech with noise on top.
 * @param spoken where somebody speaks: the ratio is that of the power in there (of the whole where empty) to the noise's
 * @param voices recordings that babble is made of
 */
export function withNoise(
  samples: Float32Array,
  spoken: readonly SampleSpan[],
  kind: NoiseKind,
  snrDb: number,
  voices: readonly Float32Array[],
  random: () => number,
): Float32Array {
  const noise = noiseOf(kind, samples.length, voices, random);
  const parts = spoken.map((span) => samples.subarray(span.startSample, span.endSample));
  const speechPower = powerOf(parts.length > 0 ? parts : [samples]);
  const gain = Math.sqrt(speechPower / powerOf([noise])) * 10 ** (-snrDb / 20);
  return samples.map((sample, n) => sample + gain * (noise[n] as number));
}

function noiseOf(kind: NoiseKind, length: number, voices: readonly Float32Array[], random: () => number): Float32Array {
  switch (kind) {
    case 'white':
      return Float32Array.from({ length }, () => gaussian(random));
    case 'pink':
      return pink(length, random);
    case 'babble': {
      const sum = new Float32Array(length);
      for (let voice = 0; voice < 8; voice++) {
        const source = voices[Math.floor(random() * voices.length)] ?? sum;
        const scale = 1 / Math.sqrt(powerOf([source]) || 1);
        const shift = Math.floor(random() * source.length);
        for (let n = 0; n < length; n++) {
          sum[n] = (sum[n] as number) + scale * (source[(n + shift) % source.length] as number);
        }
      }
      return sum;
    }
  }
}

/** Eight sources held for 1, 2, 4 … 128 samples, added up (Voss's way): 3 dB an octave down, from about 30 Hz on at 8 kHz. */
function pink(length: number, random: () => number): Float32Array {
  const held = Float64Array.from({ length: 8 }, () => gaussian(random));
  return Float32Array.from({ length }, (_, n) => {
    let sum = 0;
    for (let source = 0; source < held.length; source++) {
      if (n % 2 ** source === 0) held[source] = gaussian(random);
      sum += held[source] as number;
    }
    return sum;
  });
}

/** Box and Muller's transform. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function powerOf(parts: readonly Float32Array[]): number {
  let sum = 0;
  let count = 0;
  for (const part of parts) {
    for (const sample of part) sum += sample * sample;
    count += part.length;
  }
  return sum / Math.max(1, count);
}
