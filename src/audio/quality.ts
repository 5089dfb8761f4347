import { meanSpectrum } from './quality-spectrum.js';
import type { QualityReport, SampleSpan, SpeechActivity, Waveform } from './waveform.js';

/** The loudest values of G.711 are 0.98 (µ-law) and 0.984 (A-law) of full scale. */
const clippingLevel = 0.98;
/** Kept clear of speech on both sides of a pause: room and breath are not the line's noise, seconds. */
const guardSeconds = 0.06;
/** Less pause than this says nothing about noise, seconds. */
const leastPauseSeconds = 0.2;
const noiseFrameSeconds = 0.02;
/** Power of the rounding noise of 16-bit samples, step² / 12: nothing is measured as quieter. */
const leastPower = 2 ** -30 / 12;
/** Times the pauses' spectrum is taken off the speech's: mean spectra of a second still waver by a tenth or two. */
const noiseTaken = 1.5;
/** Share of the (evened) speech power that lies below the bandwidth. */
const bandwidthShare = 0.99;

/**
 * Measures a recording; judges nothing. Pure. A constant offset is taken off all powers.
 *
 * - snrDb: (mean power inside speech − noise power) over noise power; noise is the median power of the 20 ms frames of the pauses,
 *   60 ms away from speech, frames of digital silence left out where there are others. −10 at the lowest. Null when less than 0.2 s
 *   of pause is left.
 * - clippingShare: share of all samples at 0.98 of full scale or beyond.
 * - speechLevelDbfs: mean power inside speech (of the whole recording where nobody speaks), relative to a full-scale sine, whose
 *   power is ½.
 * - bandwidthHz: below it lies 99 % of the speech power after 6 dB an octave were added and the pauses' spectrum taken off; 0 when
 *   there is no speech.
 * @param activity of this waveform
 */
export function assessQuality(waveform: Waveform, activity: SpeechActivity): QualityReport {
  const { samples, sampleRateHz } = waveform;
  const { spans } = activity;
  const pauses = pausesBetween(spans, samples.length, Math.round(guardSeconds * sampleRateHz));
  const whole = [{ startSample: 0, endSample: samples.length }];
  const offset = samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
  const speechPower = meanPower(samples, spans.length > 0 ? spans : whole, offset);
  const noisePower = noisePowerIn(samples, pauses, offset, sampleRateHz);
  return {
    totalSeconds: samples.length / sampleRateHz,
    netSpeechSeconds: activity.netSpeechSeconds,
    snrDb: noisePower === null || spans.length === 0 ? null : snrDb(speechPower, noisePower),
    clippingShare: clippingShare(samples),
    speechLevelDbfs: decibels(2 * speechPower),
    bandwidthHz: bandwidthHz(samples, sampleRateHz, spans, pauses),
  };
}

/** What lies outside spans, `guard` samples away from them. */
function pausesBetween(spans: readonly SampleSpan[], totalSamples: number, guard: number): SampleSpan[] {
  const pauses: SampleSpan[] = [];
  let startSample = 0;
  for (const span of spans) {
    if (span.startSample - guard > startSample) pauses.push({ startSample, endSample: span.startSample - guard });
    startSample = span.endSample + guard;
  }
  if (totalSamples > startSample) pauses.push({ startSample, endSample: totalSamples });
  return pauses;
}

/** At least `leastPower`; a constant offset of the recorder is no sound. */
function meanPower(samples: Float32Array, spans: readonly SampleSpan[], offset: number): number {
  let sum = 0;
  let count = 0;
  for (const { startSample, endSample } of spans) {
    for (let n = startSample; n < endSample; n++) sum += ((samples[n] as number) - offset) ** 2;
    count += endSample - startSample;
  }
  return count > 0 ? Math.max(leastPower, sum / count) : leastPower;
}

function noisePowerIn(
  samples: Float32Array,
  pauses: readonly SampleSpan[],
  offset: number,
  sampleRateHz: number,
): number | null {
  const length = Math.round(noiseFrameSeconds * sampleRateHz);
  let frames = 0;
  const audible: number[] = [];
  for (const { startSample, endSample } of pauses) {
    for (let at = startSample; at + length <= endSample; at += length) {
      const frame = samples.subarray(at, at + length);
      frames++;
      if (frame.every((sample) => sample === frame[0])) continue;
      audible.push(meanPower(frame, [{ startSample: 0, endSample: length }], offset));
    }
  }
  if (frames * length < leastPauseSeconds * sampleRateHz) return null;
  if (audible.length === 0) return leastPower;
  audible.sort((a, b) => a - b);
  return audible[Math.floor(audible.length / 2)] ?? null;
}

function snrDb(speechPower: number, noisePower: number): number {
  return decibels(Math.max(speechPower - noisePower, noisePower / 10) / noisePower);
}

function clippingShare(samples: Float32Array): number {
  let clipped = 0;
  for (const sample of samples) if (Math.abs(sample) >= clippingLevel) clipped++;
  return samples.length > 0 ? clipped / samples.length : 0;
}

function bandwidthHz(
  samples: Float32Array,
  sampleRateHz: number,
  spans: readonly SampleSpan[],
  pauses: readonly SampleSpan[],
): number {
  const speech = meanSpectrum(samples, spans);
  if (speech === null) return 0;
  const noise = meanSpectrum(samples, pauses);
  const powers = speech.map((power, bin) => Math.max(0, power - noiseTaken * (noise?.[bin] ?? 0)));
  const total = powers.reduce((sum, power) => sum + power, 0);
  if (total <= 0) return 0;
  let sum = 0;
  const last = powers.length - 1;
  const bin = powers.findIndex((power) => (sum += power) >= bandwidthShare * total);
  return ((bin < 0 ? last : bin) / last) * (sampleRateHz / 2);
}

const decibels = (ratio: number): number => 10 * Math.log10(ratio);
