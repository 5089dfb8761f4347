import type { KaldiFbankFrontEnd, NemoMelFrontEnd } from './front-end.js';
import { FrameStream } from './frame-stream.js';
import { kaldiFraming, nemoFraming, type Framing } from './framing.js';
import { compileLanes, type CompiledLanes } from './lane-compiler.js';
import { logarithmProgram, melEnergyProgram, type LogMelFormula } from './log-mel-program.js';
import { kaldiMelFilters, slaneyMelFilters } from './mel-filters.js';
import { analysisWindow } from './window.js';

/** Samples → log-mel frames, before normalisation. Holds its compiled formula and working memory: make one per model and thread. */
export interface LogMel {
  readonly melBins: number;
  readonly framing: Framing;
  /** A new signal, to be fed piece by piece. */
  stream(): FrameStream;
  /**
   * All frames of a whole signal, row-major [framing.framesOf(samples.length), melBins].
   * @param samples finite, [-1, 1], at the front-end's rate
   * @param memory where to write them, with room for all; new memory when left out
   */
  compute(samples: Float32Array, memory?: Float32Array): Float32Array;
}

/** Frames worked on before they are copied out: their samples and rows stay within a core's first cache. */
const blockFrames = 32;

/** Four times what 25 ms at 16 kHz need; each doubling doubles the code and its compilation. */
const longestTransform = 2048;

/**
 * Compiles the front-end's formula (about 0.1 s at 8 kHz).
 * @throws RangeError where the numbers do not fit together (mel edges, empty filters, window longer than the transform)
 */
export function createLogMel(frontEnd: KaldiFbankFrontEnd | NemoMelFrontEnd): LogMel {
  const lengthSamples = Math.floor((frontEnd.frameLengthMs * frontEnd.sampleRateHz) / 1000);
  const shiftSamples = Math.floor((frontEnd.frameShiftMs * frontEnd.sampleRateHz) / 1000);
  const framing = framingOf(frontEnd, lengthSamples, shiftSamples);
  const formula = formulaOf(frontEnd, lengthSamples);
  if (formula.fftSize > longestTransform) {
    throw new RangeError(
      `frames of ${lengthSamples} samples need a transform of ${formula.fftSize}, at most ${longestTransform} is made`,
    );
  }
  if (lengthSamples > formula.fftSize) {
    throw new RangeError(`frames of ${lengthSamples} samples do not fit a transform of ${formula.fftSize}`);
  }
  const { melBins } = frontEnd;
  const lanes = compileLanes(melEnergyProgram(formula), logarithmProgram(formula), {
    inputColumns: lengthSamples,
    inputStride: shiftSamples,
    outputColumns: melBins,
    capacityRows: blockFrames,
  });

  const computeRows = (samples: Float32Array, rows: Float32Array): void => {
    const frames = rows.length / melBins;
    for (let done = 0; done < frames; done += blockFrames) {
      const count = Math.min(blockFrames, frames - done);
      const start = done * shiftSamples;
      lanes.input.set(samples.subarray(start, start + (count - 1) * shiftSamples + lengthSamples));
      lanes.run(count);
      copyRows(lanes, melBins, rows.subarray(done * melBins, (done + count) * melBins));
    }
  };
  const stream = (): FrameStream => new FrameStream(framing, melBins, computeRows);
  const whole = stream();
  return {
    melBins,
    framing,
    stream,
    compute(samples, memory) {
      whole.restart();
      whole.accept(samples);
      whole.finish();
      return whole.read(memory);
    },
  };
}

/** Fills row-major `rows` from the beginning of the output; rows of a multiple of 4 columns lie close together there already. */
function copyRows({ output, outputStride }: CompiledLanes, columns: number, rows: Float32Array): void {
  if (outputStride === columns) {
    rows.set(output.subarray(0, rows.length));
    return;
  }
  for (let row = 0; row * columns < rows.length; row++) {
    rows.set(output.subarray(row * outputStride, row * outputStride + columns), row * columns);
  }
}

function framingOf(
  frontEnd: KaldiFbankFrontEnd | NemoMelFrontEnd,
  lengthSamples: number,
  shiftSamples: number,
): Framing {
  switch (frontEnd.kind) {
    case 'kaldi-fbank':
      return kaldiFraming(lengthSamples, shiftSamples, frontEnd.snipEdges);
    case 'nemo-mel':
      return nemoFraming(lengthSamples, shiftSamples, frontEnd.preEmphasis);
  }
}

function formulaOf(frontEnd: KaldiFbankFrontEnd | NemoMelFrontEnd, lengthSamples: number): LogMelFormula {
  const { melBins, sampleRateHz, lowHz, highHz } = frontEnd;
  const window = analysisWindow(frontEnd.window, lengthSamples);
  switch (frontEnd.kind) {
    case 'kaldi-fbank': {
      const fftSize = 2 ** Math.ceil(Math.log2(lengthSamples));
      return {
        sampleScale: frontEnd.sampleScale,
        removeDcOffset: frontEnd.removeDcOffset,
        framePreEmphasis: frontEnd.preEmphasis,
        window,
        fftSize,
        filters: kaldiMelFilters({ sampleRateHz, fftSize, melBins, lowHz, highHz }),
        energyFloor: frontEnd.energyFloor,
        energyOffset: 0,
      };
    }
    case 'nemo-mel':
      return {
        sampleScale: 1,
        removeDcOffset: false,
        framePreEmphasis: 0,
        window,
        fftSize: frontEnd.fftSize,
        filters: slaneyMelFilters({ sampleRateHz, fftSize: frontEnd.fftSize, melBins, lowHz, highHz }),
        energyFloor: 0,
        energyOffset: frontEnd.logOffset,
      };
  }
}
