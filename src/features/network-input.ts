import type { FrontEnd, KaldiFbankFrontEnd, NemoMelFrontEnd } from './front-end.js';
import { createLogMel } from './log-mel.js';
import { normaliseFrames } from './normalisation.js';

/** What a network is fed: frames, or samples as frames of one value. */
export interface NetworkInput {
  /** Row-major [frames, bins]. The memory is used again by the next call. */
  readonly values: Float32Array;
  readonly frames: number;
  readonly bins: number;
  /** Frames that hold signal; the rest, at the end, is the padding that the family asks for. */
  readonly validFrames: number;
}

/** The whole front-end of a model: samples in [-1, 1] at its rate → what its network takes. Zero frames where the signal is too short for one. */
export type NetworkInputMaker = (samples: Float32Array) => NetworkInput;

/**
 * Prepares a front-end; make one per model and thread and keep it.
 * @throws RangeError where the front-end's numbers do not fit together
 */
export function createNetworkInput(frontEnd: FrontEnd): NetworkInputMaker {
  switch (frontEnd.kind) {
    case 'waveform':
      return scaled(frontEnd.sampleScale);
    case 'kaldi-fbank':
      return logMelInput(frontEnd, (validFrames) => validFrames);
    case 'nemo-mel':
      // NeMo's transform has one frame more than its length counts; it is blanked, then zeros follow up to the multiple.
      return logMelInput(
        frontEnd,
        (validFrames) => Math.ceil((validFrames + 1) / frontEnd.padFramesTo) * frontEnd.padFramesTo,
      );
  }
}

function logMelInput(
  frontEnd: KaldiFbankFrontEnd | NemoMelFrontEnd,
  padded: (validFrames: number) => number,
): NetworkInputMaker {
  const logMel = createLogMel(frontEnd);
  const bins = logMel.melBins;
  const take = reusedMemory();
  return (samples) => {
    const validFrames = logMel.framing.framesOf(samples.length);
    const frames = validFrames === 0 ? 0 : padded(validFrames);
    const values = take(frames * bins);
    const rows = logMel.compute(samples, values);
    normaliseFrames(rows, bins, frontEnd.normalisation);
    values.fill(0, rows.length);
    return { values, frames, bins, validFrames };
  };
}

function scaled(sampleScale: number): NetworkInputMaker {
  const take = reusedMemory();
  return (samples) => {
    const frames = samples.length;
    if (sampleScale === 1) return { values: samples, frames, bins: 1, validFrames: frames };
    const values = take(frames);
    for (let index = 0; index < frames; index++) values[index] = (samples[index] ?? 0) * sampleScale;
    return { values, frames, bins: 1, validFrames: frames };
  };
}

/** Gives the same memory each time, larger where that is needed: what an utterance takes is too much to be left to the garbage collector. */
function reusedMemory(): (floats: number) => Float32Array {
  let memory = new Float32Array(0);
  return (floats) => {
    if (floats > memory.length) memory = new Float32Array(Math.ceil(floats * 1.25));
    return memory.subarray(0, floats);
  };
}
