import { alawTable, mulawTable } from '../audio/g711.js';

/** Taps on either side of the centre: 129 at 8 kHz hold a transition of about 200 Hz. */
const halfTaps = 64;
const lowHz = 300;
const highHz = 3400;
const sampleRateHz = 8000;

/** Root mean square of a usual line: −26 dB of full scale. */
const lineLevel = 10 ** (-26 / 20);

/**
 * The telephone's band, 300 to 3400 Hz (windowed-sinc band-pass, Hamming window), at a usual line level.
 * @param samples 8 kHz, [-1, 1]
 * @returns as many, in [-1, 1]
 */
export function telephoneBand(samples: Float32Array): Float32Array {
  const filtered = new Float32Array(samples.length);
  for (let n = 0; n < samples.length; n++) {
    let sum = 0;
    for (let k = Math.max(0, n + halfTaps - samples.length + 1); k < taps.length && n + halfTaps - k >= 0; k++) {
      sum += (taps[k] as number) * (samples[n + halfTaps - k] as number);
    }
    filtered[n] = sum;
  }
  const rms = Math.sqrt(filtered.reduce((sum, x) => sum + x * x, 0) / filtered.length);
  const gain = lineLevel / (rms || 1);
  return filtered.map((sample) => Math.max(-1, Math.min(1, sample * gain)));
}

/**
 * A simulated telephone line: the band at a usual level, then G.711's steps. It has no line noise, echo or lost packets, so it flatters.
 * @param samples 8 kHz, [-1, 1]
 */
export function throughTelephone(samples: Float32Array, law: 'mulaw' | 'alaw'): Float32Array {
  const steps = sortedSteps[law];
  return telephoneBand(samples).map((sample) => nearest(steps, sample));
}

const sortedSteps = { mulaw: Float32Array.from(mulawTable).sort(), alaw: Float32Array.from(alawTable).sort() };

const taps = ((): Float64Array => {
  const low = (2 * lowHz) / sampleRateHz;
  const high = (2 * highHz) / sampleRateHz;
  const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  return Float64Array.from({ length: 2 * halfTaps + 1 }, (_, k) => {
    const at = k - halfTaps;
    const window = 0.54 + 0.46 * Math.cos((Math.PI * at) / (halfTaps + 1));
    return window * (high * sinc(high * at) - low * sinc(low * at));
  });
})();

/** The step closest to a sample, by bisection. */
function nearest(steps: Float32Array, sample: number): number {
  let below = 0;
  let above = steps.length - 1;
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if ((steps[middle] as number) <= sample) below = middle;
    else above = middle;
  }
  const low = steps[below] as number;
  const high = steps[above] as number;
  return sample - low < high - sample ? low : high;
}
