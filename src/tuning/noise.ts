import { seededRandom } from './seeded-random.js';

const frameSamples = 160;

/**
 * The recording with pink noise (−3 dB an octave) at a signal-to-noise ratio: mean power of its loud frames (20 ms, within 25 dB of
 * the loudest twentieth: where somebody speaks) over the noise's.
 * @param samples 8 kHz, [-1, 1]; digital silence stays as it is
 * @param seed the same noise for the same seed
 * @returns as many samples, in [-1, 1]
 */
export function withPinkNoise(samples: Float32Array, snrDb: number, seed: number): Float32Array {
  const noise = pinkNoise(samples.length, seed);
  const wanted = loudPower(samples) / 10 ** (snrDb / 10);
  const gain = Math.sqrt(wanted / (power(noise) || 1));
  return samples.map((sample, at) => Math.max(-1, Math.min(1, sample + gain * (noise[at] as number))));
}

/** White noise through three one-pole filters whose sum falls by about 3 dB an octave (Paul Kellet's constants, given to the public domain). */
function pinkNoise(length: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  let [slow, middle, fast] = [0, 0, 0];
  return Float32Array.from({ length }, () => {
    const white = 2 * random() - 1;
    slow = 0.99765 * slow + 0.099046 * white;
    middle = 0.963 * middle + 0.2965164 * white;
    fast = 0.57 * fast + 1.0526913 * white;
    return slow + middle + fast + 0.1848 * white;
  });
}

function power(samples: Float32Array): number {
  return samples.length === 0 ? 0 : samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
}

function loudPower(samples: Float32Array): number {
  const frames: number[] = [];
  for (let at = 0; at + frameSamples <= samples.length; at += frameSamples) {
    frames.push(power(samples.subarray(at, at + frameSamples)));
  }
  if (frames.length === 0) return power(samples);
  frames.sort((a, b) => b - a);
  const least = (frames[Math.floor(frames.length / 20)] as number) / 10 ** 2.5;
  const loud = frames.filter((frame) => frame >= least);
  return loud.reduce((sum, frame) => sum + frame, 0) / loud.length;
}
