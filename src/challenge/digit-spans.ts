import type { SampleSpan } from '../audio/waveform.js';
import { maySkip, statesOf } from './ctc.js';
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
  const { probabilities } = posteriors;
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
    const sum = frames.reduce((total, frame) => total + (probabilities[frame * classes + column] as number), 0);
    return { startSample: sampleAt(left), endSample: sampleAt(right), confidence: sum / frames.length };
  });
}

/** The frames that each digit has to itself on the likeliest path; empty where there is none. */
function likeliestFrames({ frames, probabilities }: DigitPosteriors, digits: string): number[][] {
  if (digits === '' || frames === 0) return [];
  const states = statesOf(digits);
  const skips = states.map((_, state) => maySkip(states, state));
  const last = states.length - 1;
  const cameFrom = new Uint16Array(frames * states.length);
  const likeliest = new Float64Array(states.length).fill(-Infinity);
  likeliest[0] = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (let state = last; state >= 0; state--) {
      let from = state;
      if (state > 0 && (likeliest[state - 1] as number) > (likeliest[from] as number)) from = state - 1;
      if (skips[state] === true && (likeliest[state - 2] as number) > (likeliest[from] as number)) from = state - 2;
      cameFrom[frame * states.length + state] = from;
      const probability = probabilities[frame * classes + (states[state] as number)] as number;
      likeliest[state] = (likeliest[from] as number) + Math.log(probability);
    }
  }
  let state = (likeliest[last] as number) >= (likeliest[last - 1] as number) ? last : last - 1;
  const own = Array.from(digits, (): number[] => []);
  for (let frame = frames - 1; frame >= 0; frame--) {
    if (state % 2 === 1) own[(state - 1) / 2]?.unshift(frame);
    state = cameFrom[frame * states.length + state] as number;
  }
  return own.every((list) => list.length > 0) ? own : [];
}
