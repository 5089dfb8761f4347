import { FourierTransform } from './fourier.js';

/** The correlation is worked out on samples of this rate, Hz: most of the power of speech lies below 1 kHz. */
const correlationRateHz = 2000;
/** How far a leak may lag behind its source: handset and room at once, networks and their jitter buffers later. Seconds. */
export const longestEchoSeconds = 0.6;

/**
 * How much of one leg of a call is a copy of the other: the largest normalised cross-correlation of their first differences over delays from 0 to
 * `longestEchoSeconds`. Its square is the share of the leg's power that one delayed copy explains; an echo with many paths has more than it shows.
 * @param samples of the leg that may have a leak in it
 * @param source of the other leg, so that `source[n + lead]` was sent when `samples[n]` was received; what lies outside counts as silence
 * @param lead samples of `source` before the first of `samples`
 * @returns 0 to 1; 0 where either is silent
 */
export function leakage(samples: Float32Array, source: Float32Array, lead: number, sampleRateHz: number): number {
  const step = Math.round(sampleRateHz / correlationRateHz);
  const lags = Math.ceil((longestEchoSeconds * sampleRateHz) / step);
  const leadSteps = Math.floor(lead / step);
  const heard = differences(samples, 0, Math.floor(samples.length / step), step);
  // From `lags` before the first of `heard` on: with a delay of k, heard[n] is a copy of sent[n + lags - k].
  const sent = differences(source, (leadSteps - lags) * step, heard.length + lags, step);
  const [heardPower, sentPower] = [powers(heard), powers(sent)];
  const total = heardPower.at(-1) as number;
  if (total === 0 || sentPower.at(-1) === 0) return 0;
  const correlation = crossCorrelation(heard, sent, lags);
  let largest = 0;
  for (let delay = 0; delay <= lags; delay++) {
    const from = lags - delay;
    const power = (sentPower[from + heard.length] as number) - (sentPower[from] as number);
    // Next to nothing was sent at this delay: rounding would be taken for likeness.
    if (power <= 1e-9 * heard.length) continue;
    largest = Math.max(largest, Math.abs(correlation[from] as number) / Math.sqrt(total * power));
  }
  return Math.min(1, largest);
}

/** First differences (6 dB an octave up, which evens out the slope of speech) of means over `step` samples, from `at` on. */
function differences(samples: Float32Array, at: number, count: number, step: number): Float64Array {
  const means = new Float64Array(count + 1);
  for (let m = 0; m <= count; m++) {
    let sum = 0;
    for (let n = at + (m - 1) * step, end = n + step; n < end; n++) sum += samples[n] ?? 0;
    means[m] = sum / step;
  }
  return Float64Array.from({ length: count }, (_, m) => (means[m + 1] as number) - (means[m] as number));
}

/** Power of the first 0, 1, 2 … values. */
function powers(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, n) => (sums[n + 1] = (sums[n] as number) + value * value));
  return sums;
}

/** Σ a[n] b[n + shift] for shifts from 0 to `most`, by one transform of both at once: Z = A + iB gives A and B by symmetry. */
function crossCorrelation(a: Float64Array, b: Float64Array, most: number): Float64Array {
  const fourier = transformOf(2 ** Math.ceil(Math.log2(b.length + 1)));
  const { size, order, real, imaginary } = fourier;
  real.fill(0);
  imaginary.fill(0);
  a.forEach((value, n) => (real[order[n] as number] = value));
  b.forEach((value, n) => (imaginary[order[n] as number] = value));
  fourier.transform();
  const product = { real: new Float64Array(size), imaginary: new Float64Array(size) };
  for (let k = 0; k < size; k++) {
    const mirror = (size - k) % size;
    const aReal = ((real[k] as number) + (real[mirror] as number)) / 2;
    const aImaginary = ((imaginary[k] as number) - (imaginary[mirror] as number)) / 2;
    const bReal = ((imaginary[k] as number) + (imaginary[mirror] as number)) / 2;
    const bImaginary = ((real[mirror] as number) - (real[k] as number)) / 2;
    // Conjugate of A times B; its own conjugate goes in, so that the forward transform turns it back.
    product.real[k] = aReal * bReal + aImaginary * bImaginary;
    product.imaginary[k] = -(aReal * bImaginary - aImaginary * bReal);
  }
  product.real.forEach((value, k) => (real[order[k] as number] = value));
  product.imaginary.forEach((value, k) => (imaginary[order[k] as number] = value));
  fourier.transform();
  return real.slice(0, most + 1).map((value) => value / size);
}

const transforms = new Map<number, FourierTransform>();

/** One for each size, made once. */
function transformOf(size: number): FourierTransform {
  const found = transforms.get(size) ?? new FourierTransform(size);
  transforms.set(size, found);
  return found;
}
