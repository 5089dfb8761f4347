import { lastReaders, type CutProgram } from './lane-pieces.js';
import { laneOpcodes, weaves, type LaneProgram, type LaneStore, type Lanes } from './lane-program.js';
import { addresses, unsigned, wasm, type WasmFunction } from './wasm-module.js';

/** Where a function finds its numbers. */
export interface LaneMemory {
  /** Added to while code is written: constant k lies, four times over, at byte 16 k. */
  readonly constants: number[];
  readonly inputRowBytes: number;
  readonly outputRowBytes: number;
}

const bytesPerFloat = 4;
export const bytesPerValue = 16;
/** As a power of two: floats, not whole values, are what addresses are multiples of. */
const alignment = 2;

/** Writes programs as WebAssembly: each value lies in a local from its making until its last reader has read it. */
export class LaneFunction {
  private readonly code: number[] = [];
  private locals = 0;
  private readonly localOf = new Map<Lanes, number>();
  private readonly free: number[] = [];
  private readonly lastReader: ReadonlyMap<Lanes, Lanes>;
  private readonly storesOf = new Map<Lanes, LaneStore[]>();

  private constructor(
    private readonly program: LaneProgram,
    private readonly memory: LaneMemory,
    private readonly placeOf: CutProgram['placeOf'],
  ) {
    this.lastReader = lastReaders(program);
    for (const store of program.stores) {
      this.storesOf.set(store.value, [...(this.storesOf.get(store.value) ?? []), store]);
    }
  }

  /** One piece of a program: loads from the first address, stores to the second, carries at the third. */
  static ofPiece(program: LaneProgram, memory: LaneMemory, cut: CutProgram, piece: number): WasmFunction {
    const { first, end } = cut.pieces[piece] ?? { first: 0, end: 0 };
    const written = new LaneFunction(program, memory, cut.placeOf);
    for (let value = first; value < end; value++) written.write(value, addresses.second);
    return { name: `piece${piece}`, locals: written.locals, code: written.code };
  }

  /** A program applied to every four numbers from the first address up to the second, in place; its constants are loaded once, before. */
  static ofEach(program: LaneProgram, constants: number[]): WasmFunction {
    const written = new LaneFunction(program, { constants, inputRowBytes: 0, outputRowBytes: 0 }, new Map());
    const values = [...program.nodes.keys()];
    const kept = values.filter((value) => program.nodes[value]?.kind === 'constant');
    for (const value of kept) written.make(value);
    written.code.push(...wasm.loop);
    for (const value of values) if (!kept.includes(value)) written.write(value, addresses.first, kept);
    written.code.push(
      wasm.localGet,
      addresses.first,
      wasm.i32Const,
      bytesPerValue,
      wasm.i32Add,
      wasm.localTee,
      addresses.first,
    );
    written.code.push(wasm.localGet, addresses.second, wasm.i32LessUnsigned, wasm.branchIf, 0, wasm.end);
    return { name: 'each', locals: written.locals, code: written.code };
  }

  /** A value that is needed: made, carried, stored, and the locals freed that nobody reads any more. */
  private write(value: Lanes, target: number, kept: readonly Lanes[] = []): void {
    const node = this.program.nodes[value];
    if (node === undefined || !this.lastReader.has(value)) return;
    if (node.kind !== 'constant') this.make(value);
    const place = this.placeOf.get(value);
    if (place !== undefined) this.put(value, addresses.third, place * bytesPerValue);
    for (const { row, column } of this.storesOf.get(value) ?? []) {
      this.put(value, target, row * this.memory.outputRowBytes + column * bytesPerFloat);
    }
    for (const read of 'operands' in node ? [...node.operands, value] : [value]) {
      if (this.lastReader.get(read) === value && !kept.includes(read)) this.release(read);
    }
  }

  /** Code that works a value out and puts it into a local. */
  private make(value: Lanes): void {
    const node = this.program.nodes[value];
    switch (node?.kind) {
      case 'load':
        this.get(addresses.first, node.row * this.memory.inputRowBytes + node.column * bytesPerFloat);
        break;
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
    this.keep(value);
  }

  /** Pushes a value: from its local, from where an earlier piece carried it, or made here if it is a constant. */
  private read(value: Lanes): void {
    if (!this.localOf.has(value)) {
      const place = this.placeOf.get(value);
      if (place === undefined) this.make(value);
      else {
        this.get(addresses.third, place * bytesPerValue);
        this.keep(value);
      }
    }
    this.code.push(wasm.localGet, ...unsigned(this.localOf.get(value) ?? 0));
  }

  private keep(value: Lanes): void {
    const local = this.free.pop() ?? addresses.count + this.locals++;
    this.localOf.set(value, local);
    this.code.push(wasm.localSet, ...unsigned(local));
  }

  private release(value: Lanes): void {
    const local = this.localOf.get(value);
    if (local === undefined) return;
    this.localOf.delete(value);
    this.free.push(local);
  }

  private get(address: number, offset: number): void {
    this.code.push(wasm.localGet, address, wasm.simd, wasm.load, alignment, ...unsigned(offset));
  }

  private put(value: Lanes, address: number, offset: number): void {
    this.code.push(wasm.localGet, address);
    this.read(value);
    this.code.push(wasm.simd, wasm.store, alignment, ...unsigned(offset));
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
