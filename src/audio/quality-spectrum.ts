import type { SampleSpan } from './waveform.js';

/** Samples of one spectrum; a power of two. */
const size = 256;
/** Spectra averaged at most, spread evenly: enough for a long-term shape, and the cost does not grow with the recording. */
const mostFrames = 96;

const hann = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / size));
const cosines = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
const sines = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
const reversed = Uint16Array.from({ length: size }, (_, n) => {
  let index = 0;
  for (let bit = 1; bit < size; bit <<= 1) index = (index << 1) | ((n & bit) === 0 ? 0 : 1);
  return index;
});

/**
 * Mean power spectrum of a signal's first differences (6 dB an octave up, which evens out the slope of speech) inside spans.
 * @returns size / 2 + 1 powers from 0 Hz to half the rate; null where no span holds a whole frame of 256 samples
 */
export function meanSpectrum(samples: Float32Array, spans: readonly SampleSpan[]): Float64Array | null {
  const starts: number[] = [];
  for (const { startSample, endSample } of spans) {
    // One sample more than a frame: the first difference looks back.
    for (let at = startSample + 1; at + size <= endSample; at += size / 2) starts.push(at);
  }
  if (starts.length === 0) return null;
  const used = Math.min(mostFrames, starts.length);
  const sum = new Float64Array(size / 2 + 1);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  for (let frame = 0; frame < used; frame++) {
    const start = starts[Math.floor((frame * starts.length) / used)] as number;
    for (let n = 0; n < size; n++) {
      const difference = (samples[start + n] as number) - (samples[start + n - 1] as number);
      real[reversed[n] as number] = difference * (hann[n] as number);
    }
    imaginary.fill(0);
    transform(real, imaginary);
    for (let k = 0; k < sum.length; k++) {
      sum[k] = (sum[k] as number) + ((real[k] as number) ** 2 + (imaginary[k] as number) ** 2) / used;
    }
  }
  return sum;
}

/** Fast Fourier transform in place, input in bit-reversed order (Cooley and Tukey 1965, radix 2). */
function transform(real: Float64Array, imaginary: Float64Array): void {
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half);
    for (let block = 0; block < size; block += 2 * half) {
      for (let k = 0; k < half; k++) {
        const upper = block + k;
        const lower = upper + half;
        const c = cosines[k * stride] as number;
        const s = sines[k * stride] as number;
        const turnedReal = (real[lower] as number) * c - (imaginary[lower] as number) * s;
        const turnedImaginary = (real[lower] as number) * s + (imaginary[lower] as number) * c;
        real[lower] = (real[upper] as number) - turnedReal;
        imaginary[lower] = (imaginary[upper] as number) - turnedImaginary;
        real[upper] = (real[upper] as number) + turnedReal;
        imaginary[upper] = (imaginary[upper] as number) + turnedImaginary;
      }
    }
  }
}
