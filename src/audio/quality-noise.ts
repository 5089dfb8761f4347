import { SampleQueue } from './sample-queue.js';

/** Less pause than this says nothing about noise, seconds. */
const leastPauseSeconds = 0.2;
const frameSeconds = 0.02;
/** Frames remembered at most, 41 s of pause: then every second one is let go, and from there on only every second is taken, and so on. */
const mostFrames = 2048;

/** Median power of the 20 ms frames of pauses, in bounded memory. */
export class NoiseMeter {
  private readonly frameSamples: number;
  private readonly waiting = new SampleQueue();
  private audible: { readonly mean: number; readonly meanSquare: number }[] = [];
  private frames = 0;
  private audibleFrames = 0;
  private stride = 1;

  constructor(private readonly sampleRateHz: number) {
    this.frameSamples = Math.round(frameSeconds * sampleRateHz);
  }

  /** Takes the next samples of a pause. */
  accept(samples: Float32Array): void {
    this.waiting.push(samples);
    while (this.waiting.length >= this.frameSamples) this.take(this.waiting.shift(this.frameSamples));
  }

  /** The pause is over: frames do not reach over speech. */
  cut(): void {
    this.waiting.clear();
  }

  /**
   * @param offset constant part of the recording, which is no sound
   * @returns null when less than 0.2 s of pause was heard; 0 when all of it was digital silence
   */
  medianPower(offset: number): number | null {
    if (this.frames * this.frameSamples < leastPauseSeconds * this.sampleRateHz) return null;
    const powers = this.audible.map(({ mean, meanSquare }) => meanSquare - 2 * offset * mean + offset * offset);
    powers.sort((a, b) => a - b);
    return powers[Math.floor(powers.length / 2)] ?? 0;
  }

  private take(frame: Float32Array): void {
    this.frames++;
    if (frame.every((sample) => sample === frame[0])) return;
    if (this.audibleFrames++ % this.stride !== 0) return;
    let sum = 0;
    let squares = 0;
    for (const sample of frame) {
      sum += sample;
      squares += sample * sample;
    }
    this.audible.push({ mean: sum / frame.length, meanSquare: squares / frame.length });
    if (this.audible.length < mostFrames) return;
    this.audible = this.audible.filter((_, index) => index % 2 === 0);
    this.stride *= 2;
  }
}
