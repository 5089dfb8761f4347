import { laneOpcodes, type LaneNode, type LaneProgram, type Lanes } from './lane-program.js';

/** How the frames lie in the input. */
export interface LaneLayout {
  readonly frameLengthSamples: number;
  readonly frameShiftSamples: number;
  /** Frames that the input and output have room for, a multiple of 4. */
  readonly capacityFrames: number;
}

/** A compiled program: put samples into `input`, call `run`, take the rows from `output`. */
export interface CompiledLanes {
  /** Overlapping frames: frame t starts at frameShiftSamples × t. */
  readonly input: Float32Array;
  /** Row-major [capacityFrames, program outputs]. */
  readonly output: Float32Array;
  /** Works out frames `firstFrame` to `firstFrame` + 3. */
  readonly run: (firstFrame: number) => void;
}

/** The few pieces of the WebAssembly interface used here: they are part of Node.js, but TypeScript declares them only for browsers. */
interface RunInstance {
  readonly exports: {
    readonly memory: { readonly buffer: ArrayBuffer };
    readonly run: (inputByte: number, outputByte: number) => void;
  };
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => RunInstance;
};

// WebAssembly's binary format, as far as one exported function on one memory needs it (core specification, chapter 5).
const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const section = { type: 1, function: 3, memory: 5, export: 7, code: 10 } as const;
const i32 = 0x7f;
const v128 = 0x7b;
const localGet = 0x20;
const localSet = 0x21;
const i32Const0 = [0x41, 0x00];
const i32Const = 0x41;
const simd = 0xfd;
const load = 0x00;
const load32Splat = 0x09;
const load32Lane = 0x56;
const store32Lane = 0x5a;
const shiftRightSigned = 0xac;
const end = 0x0b;

const laneCount = 4;
const bytesPerFloat = 4;
const bytesPerValue = laneCount * bytesPerFloat;
const bytesPerPage = 65536;
const inputPointer = 0;
const outputPointer = 1;
const firstLocal = 2;

/**
 * Assembles a program into one WebAssembly function and gives it memory: constants first, then the input, then the output.
 * @throws WebAssembly.CompileError where the processor lacks 128-bit SIMD (x64 before SSE4.1)
 */
export function compileLanes(program: LaneProgram, layout: LaneLayout): CompiledLanes {
  const { nodes, outputs } = program;
  const inputLength = layout.frameShiftSamples * (layout.capacityFrames - 1) + layout.frameLengthSamples;
  const outputLength = layout.capacityFrames * outputs.length;

  const constants: number[] = [];
  const body = emit(nodes, outputs, layout.frameShiftSamples * bytesPerFloat, constants);
  const inputStart = constants.length * bytesPerValue;
  const outputStart = inputStart + inputLength * bytesPerFloat;
  const pages = Math.ceil((outputStart + outputLength * bytesPerFloat) / bytesPerPage);

  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(moduleBytes(body, pages))));
  const { memory, run } = instance.exports;
  new Int32Array(memory.buffer, 0, constants.length * laneCount).set(
    constants.flatMap((bits) => [bits, bits, bits, bits]),
  );

  const inputStride = layout.frameShiftSamples * bytesPerFloat;
  const outputStride = outputs.length * bytesPerFloat;
  return {
    input: new Float32Array(memory.buffer, inputStart, inputLength),
    output: new Float32Array(memory.buffer, outputStart, outputLength),
    run: (firstFrame) => run(inputStart + firstFrame * inputStride, outputStart + firstFrame * outputStride),
  };
}

/** The function's body: every value that an output needs, in the order of its making, in a local that is free again after its last reader. */
function emit(
  nodes: readonly LaneNode[],
  outputs: readonly Lanes[],
  strideBytes: number,
  constants: number[],
): number[] {
  const lastReader = lastReaders(nodes, outputs);
  const code: number[] = [];
  const localOf = new Map<Lanes, number>();
  const free: number[] = [];
  let locals = 0;

  const take = (): number => free.pop() ?? firstLocal + locals++;
  const read = (value: Lanes): void => {
    const local = localOf.get(value);
    if (local !== undefined) code.push(localGet, ...unsigned(local));
    else code.push(...i32Const0, simd, load, 4, ...unsigned(constantOffset(nodes[value], constants)));
  };
  const release = (value: Lanes, reader: number): void => {
    const local = localOf.get(value);
    if (local === undefined || lastReader[value] !== reader) return;
    localOf.delete(value);
    free.push(local);
  };

  nodes.forEach((node, index) => {
    if (node.kind === 'constant' || lastReader[index] === undefined) return;
    if (node.kind === 'sample') {
      pushLoad(code, node.index * bytesPerFloat, strideBytes);
    } else {
      node.operands.forEach(read);
      if (node.kind === 'operation') code.push(simd, ...unsigned(laneOpcodes[node.operation]));
      else code.push(i32Const, node.bits, simd, ...unsigned(shiftRightSigned));
      node.operands.forEach((operand) => release(operand, index));
    }
    const local = take();
    localOf.set(index, local);
    code.push(localSet, ...unsigned(local));
    outputs.forEach((output, column) => {
      if (output === index) pushStores(code, local, column * bytesPerFloat, outputs.length * bytesPerFloat);
    });
    release(index, index);
  });
  return [1, ...unsigned(locals), v128, ...code, end];
}

/** For each value the index of the last node that reads it, its own index where only the output does, undefined where nobody does. */
function lastReaders(nodes: readonly LaneNode[], outputs: readonly Lanes[]): (number | undefined)[] {
  const last: (number | undefined)[] = new Array<undefined>(nodes.length);
  for (const output of outputs) last[output] = output;
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index];
    if (last[index] === undefined || node === undefined || !('operands' in node)) continue;
    for (const operand of node.operands) last[operand] = Math.max(last[operand] ?? 0, index);
  }
  return last;
}

function constantOffset(node: LaneNode | undefined, constants: number[]): number {
  if (node?.kind !== 'constant') throw new Error('a lane program read a value before it was made');
  const known = constants.indexOf(node.bits);
  return (known >= 0 ? known : constants.push(node.bits) - 1) * bytesPerValue;
}

/** One sample of four frames: the first spread over all lanes, then the other three put in their places. */
function pushLoad(code: number[], offset: number, strideBytes: number): void {
  code.push(localGet, inputPointer, localGet, inputPointer, localGet, inputPointer, localGet, inputPointer);
  code.push(simd, load32Splat, 2, ...unsigned(offset));
  for (let lane = 1; lane < laneCount; lane++)
    code.push(simd, load32Lane, 2, ...unsigned(offset + lane * strideBytes), lane);
}

/** One column of four output rows. */
function pushStores(code: number[], local: number, offset: number, rowBytes: number): void {
  for (let lane = 0; lane < laneCount; lane++) {
    code.push(localGet, outputPointer, localGet, ...unsigned(local));
    code.push(simd, store32Lane, 2, ...unsigned(offset + lane * rowBytes), lane);
  }
}

function moduleBytes(body: readonly number[], pages: number): number[] {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text, 'ascii')];
  const part = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
  return [
    ...magicAndVersion,
    ...part(section.type, [1, 0x60, 2, i32, i32, 0]),
    ...part(section.function, [1, 0]),
    ...part(section.memory, [1, 0, ...unsigned(pages)]),
    ...part(section.export, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]),
    ...part(section.code, [1, ...unsigned(body.length), ...body]),
  ];
}

/** LEB128, the format's way of writing numbers ≥ 0. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
