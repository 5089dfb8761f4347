/**
 * A straight line of arithmetic on four numbers at once, later assembled into WebAssembly SIMD (lane-compiler.ts).
 *
 * A front-end is a fixed formula from the samples of one frame to its mel energies: no branch, no loop that depends on data. So it is
 * written once as a graph of values, specialised by the numbers of the model card. Multiplications by 0 and 1, additions of 0, and values
 * that nobody reads disappear on the way. A value (`Lanes`) holds four 32-bit floats, one for each of four neighbouring frames. Arithmetic
 * never mixes lanes, so a frame's numbers do not depend on its neighbours.
 */
export type Lanes = number;

/** WebAssembly SIMD opcodes of what a program may do with whole values. */
export const laneOpcodes = {
  add: 0xe4,
  subtract: 0xe5,
  multiply: 0xe6,
  divide: 0xe7,
  /** a < b ? b : a */
  larger: 0xeb,
  and: 0x4e,
  addInteger: 0xae,
  subtractInteger: 0xb1,
  integerToFloat: 0xfa,
} as const;
export type LaneOperation = keyof typeof laneOpcodes;

/** How two values are woven into one: 0 to 3 are the lanes of the first, 4 to 7 those of the second. */
export const weaves = {
  firstPairs: [0, 4, 1, 5],
  lastPairs: [2, 6, 3, 7],
  firstHalves: [0, 1, 4, 5],
  lastHalves: [2, 3, 6, 7],
} as const;
export type Weave = keyof typeof weaves;

export type LaneNode =
  | { readonly kind: 'load'; readonly row: number; readonly column: number }
  | { readonly kind: 'constant'; readonly bits: number; readonly value: number }
  | { readonly kind: 'shift-right'; readonly operands: readonly Lanes[]; readonly bits: number }
  | { readonly kind: 'weave'; readonly operands: readonly Lanes[]; readonly weave: Weave }
  | { readonly kind: 'operation'; readonly operands: readonly Lanes[]; readonly operation: LaneOperation };

/** A value and where its four numbers go. */
export interface LaneStore {
  readonly value: Lanes;
  readonly row: number;
  readonly column: number;
}

/** Builds the graph; every method returns the value it made, or an equal one made before. */
export class LaneProgram {
  /** Each node reads only nodes before it. */
  readonly nodes: LaneNode[] = [];
  readonly stores: LaneStore[] = [];
  private readonly known = new Map<string, Lanes>();

  /** Four neighbouring numbers of one input row, from `column` on. */
  load(row: number, column: number): Lanes {
    return this.make(`load ${row} ${column}`, { kind: 'load', row, column });
  }

  /** Puts the four numbers of a value into one output row, from `column` on. */
  store(value: Lanes, row: number, column: number): void {
    this.stores.push({ value, row, column });
  }

  /** For each of four input rows its number in `column`. */
  across(column: number): Lanes {
    const first = column - (column % 4);
    const block = this.turn(this.load(0, first), this.load(1, first), this.load(2, first), this.load(3, first));
    return block[(column % 4) as 0 | 1 | 2 | 3];
  }

  /** Puts each lane of `values` into its own output row: the inverse of `across`. The last columns are filled up to a multiple of 4 with zeros. */
  storeAcross(values: readonly Lanes[]): void {
    const at = (column: number): Lanes => values[column] ?? this.constant(0);
    for (let column = 0; column < values.length; column += 4) {
      const block = this.turn(at(column), at(column + 1), at(column + 2), at(column + 3));
      block.forEach((value, row) => this.store(value, row, column));
    }
  }

  /** One number, rounded to 32 bits, in all four lanes. */
  constant(value: number): Lanes {
    return this.bits(new Int32Array(Float32Array.of(value).buffer)[0] ?? 0);
  }

  /** The same 32 bits in all four lanes. */
  bits(bits: number): Lanes {
    const value = new Float32Array(Int32Array.of(bits).buffer)[0] ?? 0;
    return this.make(`bits ${bits}`, { kind: 'constant', bits, value });
  }

  add(a: Lanes, b: Lanes): Lanes {
    if (this.is(a, 0)) return b;
    if (this.is(b, 0)) return a;
    return this.apply('add', a, b);
  }

  subtract(a: Lanes, b: Lanes): Lanes {
    return this.is(b, 0) ? a : this.apply('subtract', a, b);
  }

  multiply(a: Lanes, b: Lanes): Lanes {
    if (this.is(a, 0) || this.is(b, 1)) return a;
    if (this.is(b, 0) || this.is(a, 1)) return b;
    return this.apply('multiply', a, b);
  }

  /** value × factor. */
  scale(value: Lanes, factor: number): Lanes {
    return this.multiply(value, this.constant(factor));
  }

  /** Sum by halves: short dependency chains, small rounding error. */
  sum(values: readonly Lanes[]): Lanes {
    const [only] = values;
    if (only === undefined) return this.constant(0);
    if (values.length === 1) return only;
    const half = values.length >> 1;
    return this.add(this.sum(values.slice(0, half)), this.sum(values.slice(half)));
  }

  /** One instruction, nothing folded. */
  apply(operation: LaneOperation, ...operands: Lanes[]): Lanes {
    return this.make(`${operation} ${operands.join(' ')}`, { kind: 'operation', operation, operands });
  }

  /** Arithmetic shift of the lanes, read as 32-bit integers. */
  shiftRight(value: Lanes, bits: number): Lanes {
    return this.make(`shift ${bits} ${value}`, { kind: 'shift-right', operands: [value], bits });
  }

  /** A 4 × 4 block turned over: lane j of value i becomes lane i of value j. */
  private turn(a: Lanes, b: Lanes, c: Lanes, d: Lanes): readonly [Lanes, Lanes, Lanes, Lanes] {
    const [ab, cd] = [this.weave('firstPairs', a, b), this.weave('firstPairs', c, d)];
    const [abLast, cdLast] = [this.weave('lastPairs', a, b), this.weave('lastPairs', c, d)];
    return [
      this.weave('firstHalves', ab, cd),
      this.weave('lastHalves', ab, cd),
      this.weave('firstHalves', abLast, cdLast),
      this.weave('lastHalves', abLast, cdLast),
    ];
  }

  private weave(weave: Weave, a: Lanes, b: Lanes): Lanes {
    return this.make(`${weave} ${a} ${b}`, { kind: 'weave', weave, operands: [a, b] });
  }

  private is(value: Lanes, wanted: number): boolean {
    const node = this.nodes[value];
    return node?.kind === 'constant' && node.value === wanted;
  }

  private make(key: string, node: LaneNode): Lanes {
    const existing = this.known.get(key);
    if (existing !== undefined) return existing;
    const made = this.nodes.push(node) - 1;
    this.known.set(key, made);
    return made;
  }
}
