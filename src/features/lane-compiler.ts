import { LaneFunction } from './lane-function.js';
import type { LaneProgram } from './lane-program.js';
import { startModule } from './wasm-module.js';

/** How the rows lie in memory. */
export interface LaneLayout {
  /** Length of an input row (a frame's samples). */
  readonly inputColumns: number;
  /** From the start of one input row to that of the next: rows may overlap. */
  readonly inputStride: number;
  /** Length of an output row. */
  readonly outputColumns: number;
  /** Rows that input and output have room for, a multiple of 4. */
  readonly capacityRows: number;
}

/** Compiled programs with their memory: put rows into `input`, call `run`, take rows from `output`. */
export interface CompiledLanes {
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** From the start of one output row to that of the next: the columns filled up to a multiple of 4. */
  readonly outputStride: number;
  /** Works out the first `rows` rows. */
  readonly run: (rows: number) => void;
}

const laneCount = 4;
const bytesPerFloat = 4;
const bytesPerValue = laneCount * bytesPerFloat;

/**
 * Compiles two programs into one module. `rows` reads four input rows and stores four output rows; `each` has one load and one store, and is
 * applied to all that `rows` stored, four numbers at a time.
 * @throws WebAssembly.CompileError where the processor lacks 128-bit SIMD (x64 before SSE4.1)
 */
export function compileLanes(rows: LaneProgram, each: LaneProgram, layout: LaneLayout): CompiledLanes {
  const outputStride = Math.ceil(layout.outputColumns / laneCount) * laneCount;
  // Rows are read four numbers at a time, so the last may be read a little over its end.
  const inputLength = layout.inputStride * (layout.capacityRows - 1) + layout.inputColumns + laneCount;
  const outputLength = layout.capacityRows * outputStride;
  const inputRowBytes = layout.inputStride * bytesPerFloat;
  const outputRowBytes = outputStride * bytesPerFloat;

  const constants: number[] = [];
  const rowsBody = new LaneFunction(rows, { constants, inputRowBytes, outputRowBytes });
  rowsBody.once();
  const eachBody = new LaneFunction(each, { constants, inputRowBytes: 0, outputRowBytes: 0 });
  eachBody.throughout();

  const inputStart = constants.length * bytesPerValue;
  const outputStart = inputStart + inputLength * bytesPerFloat;
  const functions = [
    { name: 'rows', locals: rowsBody.locals, code: rowsBody.code },
    { name: 'each', locals: eachBody.locals, code: eachBody.code },
  ];
  const { memory, call } = startModule(functions, outputStart + outputLength * bytesPerFloat);
  new Int32Array(memory).set(constants.flatMap((bits) => [bits, bits, bits, bits]));

  const runRows = call('rows');
  const runEach = call('each');
  return {
    input: new Float32Array(memory, inputStart, inputLength),
    output: new Float32Array(memory, outputStart, outputLength),
    outputStride,
    run: (rows) => {
      for (let row = 0; row < rows; row += laneCount)
        runRows(inputStart + row * inputRowBytes, outputStart + row * outputRowBytes);
      runEach(outputStart, outputStart + rows * outputRowBytes);
    },
  };
}
