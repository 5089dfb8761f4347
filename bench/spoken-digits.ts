import { fixture } from './callers.js';

/** Callers of audio-fixtures/digits: they say whatever they are asked. */
export type Speaker = 'en-rms' | 'en-slt';

/** Media type of what `sayDigits` gives. */
export const spokenType = 'audio/PCMU';

const rateHz = 8000;

/**
 * One caller saying digits over the telephone: single digits of the fixtures one after another, a longer pause in the middle.
 * @returns µ-law bytes at 8 kHz without a header
 */
export function sayDigits(caller: Speaker, digits: string): Buffer {
  const half = Math.ceil(digits.length / 2);
  const words = [...digits].flatMap((digit, index) => [
    lineNoise(index === half ? 0.35 : 0.08, index),
    audioOf(fixture(`digits/${caller}/${digit}.wav`)),
  ]);
  return Buffer.concat([lineNoise(0.2, 20), ...words, lineNoise(0.3, 21)]);
}

/** The samples of a µ-law WAV file. */
export function audioOf(file: Buffer): Buffer {
  const data = file.indexOf('data', 12, 'latin1');
  return file.subarray(data + 8, data + 8 + file.readUInt32LE(data + 4));
}

/** The line's own noise: the two quietest steps of µ-law, up and down (32-bit LCG, Numerical Recipes' constants). */
export function lineNoise(seconds: number, seed: number): Buffer {
  const steps = [0xff, 0xfe, 0x7f, 0x7e];
  let state = seed;
  return Buffer.from(
    Array.from({ length: Math.round(seconds * rateHz) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return steps[state >>> 30] ?? 0xff;
    }),
  );
}
