import { SampleQueue } from './sample-queue.js';

/** Samples of one spectrum; a power of two. */
const size = 256;

const hann = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / size));
const cosines = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
const sines = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
const reversed = Uint16Array.from({ length: size }, (_, n) => {
  let index = 0;
  for (let bit = 1; bit < size; bit <<= 1) index = (index << 1) | ((n & bit) === 0 ? 0 : 1);
  return index;
});

const real = new Float64Array(size);
const imaginary = new Float64Array(size);

/** Mean power spectrum of a signal's first differences (6 dB an octave up, which evens out the slope of speech), frame after frame. */
export class SpectrumMeter {
  private readonly waiting = new SampleQueue();
  private readonly sum = new Float64Array(size / 2 + 1);
  private frames = 0;

  /** Takes the next samples of a stretch. */
  accept(samples: Float32Array): void {
    this.waiting.push(samples);
    // One sample more than a frame: the first difference looks back.
    while (this.waiting.length > size) {
      this.add(this.waiting.view(0, size + 1));
      this.waiting.shift(size);
    }
  }

  /** The stretch is over: frames do not reach over its end. */
  cut(): void {
    this.waiting.clear();
  }

  /** size / 2 + 1 powers from 0 Hz to half the rate; null where no stretch held a whole frame of 257 samples. */
  mean(): Float64Array | null {
    return this.frames === 0 ? null : this.sum.map((power) => power / this.frames);
  }

  private add(frame: Float32Array): void {
    for (let n = 0; n < size; n++) {
      const difference = (frame[n + 1] as number) - (frame[n] as number);
      real[reversed[n] as number] = difference * (hann[n] as number);
    }
    imaginary.fill(0);
    transform();
    for (let k = 0; k < this.sum.length; k++) {
      this.sum[k] = (this.sum[k] as number) + (real[k] as number) ** 2 + (imaginary[k] as number) ** 2;
    }
    this.frames++;
  }
}

/** Fast Fourier transform in place, input in bit-reversed order (Cooley and Tukey 1965, radix 2). */
function transform(): void {
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
