/**
 * A straight line of arithmetic on four frames side by side, later assembled into WebAssembly SIMD (lane-compiler.ts).
 *
 * A front-end is a fixed formula from the samples of one frame to its log-mel values: no branch, no loop that depends on data. So it is
 * written once as a graph of values, specialised by the numbers of the model card. Multiplications by 0 and 1, additions of 0, and values that
 * nobody reads disappear on the way. A value (`Lanes`) holds four 32-bit floats, one for each of four neighbouring frames. Lanes never mix, so a
 * frame's numbers do not depend on its neighbours.
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

export type LaneNode =
  | { readonly kind: 'sample'; readonly index: number }
  | { readonly kind: 'constant'; readonly bits: number; readonly value: number }
  | { readonly kind: 'shift-right'; readonly operands: readonly Lanes[]; readonly bits: number }
  | { readonly kind: 'operation'; readonly operands: readonly Lanes[]; readonly operation: LaneOperation };

/** Builds the graph; every method returns the value it made, or an equal one made before. */
export class LaneProgram {
  /** Each node reads only nodes before it. */
  readonly nodes: LaneNode[] = [];
  /** The values of one output row, in order. */
  readonly outputs: Lanes[] = [];
  private readonly known = new Map<string, Lanes>();

  /** Sample `index` of each of the four frames. */
  sample(index: number): Lanes {
    return this.make(`sample ${index}`, { kind: 'sample', index });
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
