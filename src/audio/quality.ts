import { NoiseMeter } from './quality-noise.js';
import { SpectrumMeter } from './quality-spectrum.js';
import { SampleQueue } from './sample-queue.js';
import type { QualityReport, SpeechActivity, Waveform } from './waveform.js';

/** The loudest values of G.711 are 0.98 (µ-law) and 0.984 (A-law) of full scale. */
const clippingLevel = 0.98;
/** Kept clear of speech on both sides of a pause: room and breath are not the line's noise, seconds. */
const guardSeconds = 0.06;
/** Power of the rounding noise of 16-bit samples, step² / 12: nothing is measured as quieter. */
const leastPower = 2 ** -30 / 12;
/** Times the pauses' spectrum is taken off the speech's: mean spectra of a second still waver by a tenth or two. */
const noiseTaken = 1.5;
/** Share of the (evened) speech power that lies below the bandwidth. */
const bandwidthShare = 0.99;

/** Sums over samples; added one by one, so that how a signal was cut cannot change a bit. */
class PowerSum {
  private sum = 0;
  private squares = 0;
  count = 0;

  accept(samples: Float32Array): void {
    for (const sample of samples) {
      this.sum += sample;
      this.squares += sample * sample;
    }
    this.count += samples.length;
  }

  get mean(): number {
    return this.sum / Math.max(1, this.count);
  }

  /** Mean power about an offset; at least `leastPower`. */
  power(offset: number): number {
    if (this.count === 0) return leastPower;
    return Math.max(leastPower, this.squares / this.count - 2 * offset * this.mean + offset * offset);
  }
}

/**
 * Measures a recording or one side of a call as it comes; judges nothing. Its memory does not grow with the length.
 *
 * - snrDb: (mean power inside speech − noise power) over noise power; noise is the median power of the 20 ms frames of the pauses,
 *   60 ms away from speech, frames of digital silence left out where there are others. −10 at the lowest. Null when less than 0.2 s
 *   of pause is left.
 * - clippingShare: share of all samples at 0.98 of full scale or beyond.
 * - speechLevelDbfs: mean power inside speech (of the whole recording where nobody speaks), relative to a full-scale sine, whose
 *   power is ½. A constant offset of the recorder is no sound: it is taken off.
 * - bandwidthHz: below it lies 99 % of the speech power after 6 dB an octave were added and the pauses' spectrum taken off; 0 when
 *   there is no speech.
 */
export class QualityMeter {
  private readonly all = new PowerSum();
  private readonly speech = new PowerSum();
  private readonly speechSpectrum = new SpectrumMeter();
  private readonly pauseSpectrum = new SpectrumMeter();
  private readonly noise: NoiseMeter;
  /** The end of a pause: it may turn out to be too near to speech. */
  private readonly lately = new SampleQueue();
  private readonly guard: number;
  private toSkip = 0;
  private clipped = 0;

  constructor(private readonly sampleRateHz: number) {
    this.guard = Math.round(guardSeconds * sampleRateHz);
    this.noise = new NoiseMeter(sampleRateHz);
  }

  /** Takes the next samples, of which it is settled whether somebody speaks. */
  accept(samples: Float32Array, isSpeech: boolean): void {
    if (samples.length === 0) return;
    this.all.accept(samples);
    for (const sample of samples) if (Math.abs(sample) >= clippingLevel) this.clipped++;
    if (isSpeech) {
      this.endPause();
      this.speech.accept(samples);
      this.speechSpectrum.accept(samples);
    } else {
      this.speechSpectrum.cut();
      const skipped = Math.min(this.toSkip, samples.length);
      this.toSkip -= skipped;
      this.lately.push(samples.subarray(skipped));
      this.takePause(this.lately.length - this.guard);
    }
  }

  /** Says that nothing follows: the last pause counts to its end. */
  finish(): void {
    this.takePause(this.lately.length);
  }

  /** Seconds accepted, and those of speech: known at any time, where `read` has to work the rest out. */
  get totalSeconds(): number {
    return this.all.count / this.sampleRateHz;
  }
  get netSpeechSeconds(): number {
    return this.speech.count / this.sampleRateHz;
  }

  /** What the samples accepted so far measure. */
  read(): QualityReport {
    const spoken = this.speech.count > 0;
    const offset = this.all.mean;
    const speechPower = (spoken ? this.speech : this.all).power(offset);
    const noisePower = this.noise.medianPower(offset);
    return {
      totalSeconds: this.totalSeconds,
      netSpeechSeconds: this.netSpeechSeconds,
      snrDb: noisePower === null || !spoken ? null : snrDb(speechPower, Math.max(leastPower, noisePower)),
      clippingShare: this.clipped / Math.max(1, this.all.count),
      speechLevelDbfs: decibels(2 * speechPower),
      bandwidthHz: bandwidthHz(this.speechSpectrum.mean(), this.pauseSpectrum.mean(), this.sampleRateHz),
    };
  }

  private takePause(count: number): void {
    if (count <= 0) return;
    const pause = this.lately.shift(count);
    this.noise.accept(pause);
    this.pauseSpectrum.accept(pause);
  }

  /** Speech begins: what came just before is too near to it. */
  private endPause(): void {
    this.lately.clear();
    this.noise.cut();
    this.pauseSpectrum.cut();
    this.toSkip = this.guard;
  }
}

/** Measures a whole recording: see `QualityMeter`. @param activity of this waveform */
export function assessQuality({ samples, sampleRateHz }: Waveform, { spans }: SpeechActivity): QualityReport {
  const meter = new QualityMeter(sampleRateHz);
  let at = 0;
  for (const { startSample, endSample } of spans) {
    meter.accept(samples.subarray(at, startSample), false);
    meter.accept(samples.subarray(startSample, endSample), true);
    at = endSample;
  }
  meter.accept(samples.subarray(at), false);
  meter.finish();
  return meter.read();
}

function snrDb(speechPower: number, noisePower: number): number {
  return decibels(Math.max(speechPower - noisePower, noisePower / 10) / noisePower);
}

function bandwidthHz(speech: Float64Array | null, noise: Float64Array | null, sampleRateHz: number): number {
  if (speech === null) return 0;
  const powers = speech.map((power, bin) => Math.max(0, power - noiseTaken * (noise?.[bin] ?? 0)));
  const total = powers.reduce((sum, power) => sum + power, 0);
  if (total <= 0) return 0;
  let sum = 0;
  const last = powers.length - 1;
  const bin = powers.findIndex((power) => (sum += power) >= bandwidthShare * total);
  return ((bin < 0 ? last : bin) / last) * (sampleRateHz / 2);
}

const decibels = (ratio: number): number => 10 * Math.log10(ratio);
