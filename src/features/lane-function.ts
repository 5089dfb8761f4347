import { laneOpcodes, weaves, type LaneProgram, type LaneStore, type Lanes } from './lane-program.js';
import { unsigned, wasm } from './wasm-module.js';

/** Where a function finds its numbers. */
export interface LaneMemory {
  /** Added to while code is written: constant k lies, four times over, at byte 16 k. */
  readonly constants: number[];
  readonly inputRowBytes: number;
  readonly outputRowBytes: number;
}

const firstAddress = 0;
const secondAddress = 1;
const firstLocal = 2;
const bytesPerFloat = 4;
const bytesPerValue = 16;
/** As a power of two: floats, not whole values, are what addresses are multiples of. */
const alignment = 2;

/** Writes a program as WebAssembly: each value lies in a local from its making until its last reader has read it. */
export class LaneFunction {
  readonly code: number[] = [];
  locals = 0;
  private readonly localOf = new Map<Lanes, number>();
  private readonly free: number[] = [];
  private readonly lastReader: ReadonlyMap<Lanes, Lanes>;
  private readonly storesOf = new Map<Lanes, LaneStore[]>();

  constructor(
    private readonly program: LaneProgram,
    private readonly memory: LaneMemory,
  ) {
    this.lastReader = lastReaders(program);
    for (const store of program.stores) {
      this.storesOf.set(store.value, [...(this.storesOf.get(store.value) ?? []), store]);
    }
  }

  /** The program once: it loads from the first address and stores to the second. Constants are loaded where they are first read. */
  once(): void {
    this.write(secondAddress);
  }

  /** The program for every four numbers from the first address up to the second, in place. Constants are loaded before and kept. */
  throughout(): void {
    this.program.nodes.forEach((node, value) => {
      if (node.kind === 'constant' && this.lastReader.has(value)) this.make(value);
    });
    this.code.push(...wasm.loop);
    this.write(firstAddress);
    this.code.push(wasm.localGet, firstAddress, wasm.i32Const, bytesPerValue, wasm.i32Add, wasm.localTee, firstAddress);
    this.code.push(wasm.localGet, secondAddress, wasm.i32LessUnsigned, wasm.branchIf, 0, wasm.end);
  }

  private write(target: number): void {
    const kept = new Set(this.localOf.keys());
    this.program.nodes.forEach((node, value) => {
      if (!this.lastReader.has(value)) return;
      if (node.kind !== 'constant') this.make(value);
      for (const { row, column } of this.storesOf.get(value) ?? []) this.store(value, target, row, column);
      const read = 'operands' in node ? [...node.operands, value] : [value];
      for (const operand of read)
        if (this.lastReader.get(operand) === value && !kept.has(operand)) this.release(operand);
    });
  }

  /** Code that works a value out and puts it into a local. */
  private make(value: Lanes): void {
    const node = this.program.nodes[value];
    switch (node?.kind) {
      case 'load': {
        const offset = node.row * this.memory.inputRowBytes + node.column * bytesPerFloat;
        this.code.push(wasm.localGet, firstAddress, wasm.simd, wasm.load, alignment, ...unsigned(offset));
        break;
      }
      case 'constant':
        this.code.push(wasm.i32Const, 0, wasm.simd, wasm.load, alignment, ...unsigned(this.constantOffset(node.bits)));
        break;
      case 'operation':
        node.operands.forEach((operand) => this.read(operand));
        this.code.push(wasm.simd, ...unsigned(laneOpcodes[node.operation]));
        break;
      case 'shift-right':
        node.operands.forEach((operand) => this.read(operand));
        this.code.push(wasm.i32Const, node.bits, wasm.simd, ...unsigned(wasm.shiftRightSigned));
        break;
      case 'weave':
        node.operands.forEach((operand) => this.read(operand));
        this.code.push(wasm.simd, wasm.shuffle, ...weaves[node.weave].flatMap(bytesOfLane));
        break;
      case undefined:
        throw new RangeError(`a lane program has no value ${value}`);
    }
    const local = this.free.pop() ?? firstLocal + this.locals++;
    this.localOf.set(value, local);
    this.code.push(wasm.localSet, ...unsigned(local));
  }

  private read(value: Lanes): void {
    if (!this.localOf.has(value)) this.make(value);
    this.code.push(wasm.localGet, ...unsigned(this.localOf.get(value) ?? 0));
  }

  private store(value: Lanes, target: number, row: number, column: number): void {
    if (!this.localOf.has(value)) this.make(value);
    this.code.push(wasm.localGet, target, wasm.localGet, ...unsigned(this.localOf.get(value) ?? 0));
    const offset = row * this.memory.outputRowBytes + column * bytesPerFloat;
    this.code.push(wasm.simd, wasm.store, alignment, ...unsigned(offset));
  }

  private release(value: Lanes): void {
    const local = this.localOf.get(value);
    if (local === undefined) return;
    this.localOf.delete(value);
    this.free.push(local);
  }

  private constantOffset(bits: number): number {
    const { constants } = this.memory;
    const known = constants.indexOf(bits);
    return (known >= 0 ? known : constants.push(bits) - 1) * bytesPerValue;
  }
}

function bytesOfLane(lane: number): number[] {
  return [0, 1, 2, 3].map((byte) => lane * bytesPerFloat + byte);
}

/** For each value that a store needs, directly or not, the last value that reads it; itself where only stores do. */
function lastReaders({ nodes, stores }: LaneProgram): Map<Lanes, Lanes> {
  const last = new Map<Lanes, Lanes>(stores.map(({ value }) => [value, value]));
  for (let value = nodes.length - 1; value >= 0; value--) {
    const node = nodes[value];
    if (!last.has(value) || node === undefined || !('operands' in node)) continue;
    for (const operand of node.operands) last.set(operand, Math.max(last.get(operand) ?? 0, value));
  }
  return last;
}
