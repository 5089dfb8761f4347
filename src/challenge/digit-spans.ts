import type { SampleSpan } from '../audio/waveform.js';
import { classes, type DigitPosteriors } from './digit-posteriors.js';

/** Where one digit was said. */
export interface DigitSpan extends SampleSpan {
  /** Mean probability of the digit in its own frames, 0 to 1. */
  readonly confidence: number;
}

/** Where frames lie in the signal; a recogniser's card fits. */
export interface FrameGrid {
  readonly frameSamples: number;
  readonly firstFrameCentreSample: number;
}

/** CTC marks a digit's middle: its edges are looked for at most so many frames away. */
const reachFrames = 6;

/**
 * Where each digit of a string lies, by the likeliest path (Viterbi). An edge is put half way to the neighbour's frames, at most six frames
 * (180 ms at 30 ms a frame) from the digit's own.
 * @param totalSamples length of the signal: no span goes beyond it
 * @returns one span a digit, in order; empty where the string cannot lie in so few frames
 */
export function digitSpans(
  posteriors: DigitPosteriors,
  digits: string,
  { frameSamples, firstFrameCentreSample }: FrameGrid,
  totalSamples: number,
): DigitSpan[] {
  const own = likeliestFrames(posteriors, digits);
  const sampleAt = (frame: number): number =>
    Math.min(totalSamples, Math.max(0, Math.trunc(frame * frameSamples + firstFrameCentreSample)));
  return own.map((frames, index) => {
    const first = frames[0] as number;
    const last = frames.at(-1) as number;
    const previous = own[index - 1]?.at(-1);
    const next = own[index + 1]?.[0];
    const left = Math.max(first - reachFrames, previous === undefined ? -Infinity : (previous + first) / 2);
    const right = Math.min(last + reachFrames, next === undefined ? Infinity : (last + next) / 2);
    const column = 1 + Number(digits[index]);
    const sum = frames.reduce(
      (total, frame) => total + Math.exp(posteriors.logs[frame * classes + column] as number),
      0,
    );
    return { startSample: sampleAt(left), endSample: sampleAt(right), confidence: sum / frames.length };
  });
}

/** The frames that each digit has to itself on the likeliest path; empty where there is none. */
function likeliestFrames({ frames, logs }: DigitPosteriors, digits: string): number[][] {
  if (digits === '' || frames === 0) return [];
  const columns = [0, ...[...digits].flatMap((digit) => [1 + Number(digit), 0])];
  const states = columns.length;
  const cameFrom = new Uint16Array(frames * states);
  let before = new Float64Array(states).fill(-Infinity);
  before[0] = logs[0] as number;
  before[1] = logs[columns[1] as number] as number;
  for (let frame = 1; frame < frames; frame++) {
    const now = new Float64Array(states);
    for (let state = 0; state < states; state++) {
      let from = state;
      if (state > 0 && (before[state - 1] as number) > (before[from] as number)) from = state - 1;
      const maySkip = state > 2 && state % 2 === 1 && columns[state] !== columns[state - 2];
      if (maySkip && (before[state - 2] as number) > (before[from] as number)) from = state - 2;
      cameFrom[frame * states + state] = from;
      now[state] = (before[from] as number) + (logs[frame * classes + (columns[state] as number)] as number);
    }
    before = now;
  }
  let state = (before[states - 1] as number) >= (before[states - 2] as number) ? states - 1 : states - 2;
  const own = Array.from(digits, (): number[] => []);
  for (let frame = frames - 1; frame >= 0; frame--) {
    if (state % 2 === 1) own[(state - 1) / 2]?.unshift(frame);
    state = cameFrom[frame * states + state] as number;
  }
  return own.every((list) => list.length > 0) ? own : [];
}
