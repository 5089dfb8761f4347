import type { DigitPosteriors } from '../../src/challenge/digit-posteriors.js';
import { logProbability } from '../../src/challenge/ctc.js';
import type { DigitEvidence } from '../../src/challenge/digit-recogniser.js';
import { digitSpans } from '../../src/challenge/digit-spans.js';
import type { Language } from '../../src/challenge/languages.js';
import type { RecogniserLanguage } from '../../src/challenge/recogniser-card.js';

/** Numbers in [0, 1) from a 32-bit LCG (Numerical Recipes' constants). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Drawn rows that sum to 1. @param sharpness 0: flat; the larger, the surer */
export function drawnPosteriors(random: () => number, frames: number, sharpness: number): DigitPosteriors {
  const probabilities = new Float64Array(frames * 11);
  for (let frame = 0; frame < frames; frame++) {
    const row = Array.from({ length: 11 }, (_, at) => sharpness * (random() * 4 + (at === 0 ? 1 : 0)));
    const most = Math.max(...row);
    const total = most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
    row.forEach((value, at) => (probabilities[frame * 11 + at] = Math.exp(value - total)));
  }
  return { frames, probabilities };
}

/** Rules of a made-up language. */
export const testRules: RecogniserLanguage = {
  status: 'supported',
  unitPrefix: 'zh:',
  digitUnits: Array.from({ length: 10 }, (_, digit) => [`zh:${digit}`]),
  temperature: 1,
  floor: 1e-10,
  blankWeight: 0,
  fillerWeight: -5,
  matchLlr: -4,
  nearMissLlr: -4,
  rivalMargin: 6,
  calibration: { scale: 0.5, offset: 4, leastLlr: -6, mostLlr: 4, fittedOn: 'nothing' },
};

const grid = { frameSamples: 240, firstFrameCentreSample: 40 };

/** What a recogniser would say of digits spoken one every 0.3 s, each heard with this probability. */
export function evidenceOf(
  digits: string,
  {
    sure = 0.95,
    rules = testRules,
    language = 'zh',
  }: { sure?: number; rules?: RecogniserLanguage; language?: Language } = {},
): DigitEvidence {
  const framesEach = 10;
  const frames = framesEach * (digits.length + 1);
  const probabilities = new Float64Array(frames * 11);
  for (let frame = 0; frame < frames; frame++) {
    const said = frame % framesEach === framesEach / 2 ? digits[Math.floor(frame / framesEach)] : undefined;
    const column = said === undefined ? 0 : 1 + Number(said);
    const most = said === undefined ? 0.9999 : sure;
    for (let at = 0; at < 11; at++) probabilities[frame * 11 + at] = at === column ? most : (1 - most) / 10;
  }
  const posteriors = { frames, probabilities };
  const spans = digitSpans(posteriors, digits, grid, frames * grid.frameSamples);
  return {
    recogniserId: 'test-digits',
    language,
    rules,
    posteriors,
    digits,
    digitsLlr: logProbability(posteriors, digits),
    spans,
    digitNetSpeechSeconds: spans.reduce((sum, span) => sum + span.endSample - span.startSample, 0) / 8000,
    frameAt: (sample) => Math.floor((sample - grid.firstFrameCentreSample) / grid.frameSamples),
  };
}
