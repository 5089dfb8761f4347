import type { FrontEnd } from './front-end.js';
import { createLogMel } from './log-mel.js';
import { normaliseFrames } from './normalisation.js';

/** What a network is fed: frames, or samples as frames of one value. */
export interface NetworkInput {
  /** Row-major [frames, bins]. */
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
  if (frontEnd.kind === 'waveform') {
    const { sampleScale } = frontEnd;
    return (samples) => {
      const values = sampleScale === 1 ? samples : samples.map((sample) => sample * sampleScale);
      return { values, frames: samples.length, bins: 1, validFrames: samples.length };
    };
  }
  const logMel = createLogMel(frontEnd);
  const bins = logMel.melBins;
  return (samples) => {
    const rows = logMel.compute(samples);
    normaliseFrames(rows, bins, frontEnd.normalisation);
    const validFrames = rows.length / bins;
    if (frontEnd.kind === 'kaldi-fbank' || validFrames === 0)
      return { values: rows, frames: validFrames, bins, validFrames };
    // NeMo's transform has one frame more than its length counts; it is blanked, then zeros follow up to the multiple.
    const frames = Math.ceil((validFrames + 1) / frontEnd.padFramesTo) * frontEnd.padFramesTo;
    const values = new Float32Array(frames * bins);
    values.set(rows);
    return { values, frames, bins, validFrames };
  };
}
