import { FourierTransform } from './fourier.js';
import { SampleQueue } from './sample-queue.js';

/** Samples of one spectrum; a power of two. */
const size = 256;

const hann = Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / size));
const fourier = new FourierTransform(size);
const { real, imaginary, order } = fourier;

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
      real[order[n] as number] = difference * (hann[n] as number);
    }
    imaginary.fill(0);
    fourier.transform();
    for (let k = 0; k < this.sum.length; k++) {
      this.sum[k] = (this.sum[k] as number) + (real[k] as number) ** 2 + (imaginary[k] as number) ** 2;
    }
    this.frames++;
  }
}
