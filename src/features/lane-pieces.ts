import type { LaneProgram, Lanes } from './lane-program.js';

/** A program in pieces that are run one after the other, with memory for what passes between them. */
export interface CutProgram {
  /** Each piece is made of the values from `first` up to, not including, `end`. */
  readonly pieces: readonly { readonly first: Lanes; readonly end: Lanes }[];
  /** Place in the carried memory of each value that a later piece reads. */
  readonly placeOf: ReadonlyMap<Lanes, number>;
  readonly places: number;
}

/**
 * Cuts a program into pieces of about `mostValues`. Places are used again when the last piece that reads their value is done.
 * Constants are not carried: each piece loads its own.
 */
export function cutProgram(program: LaneProgram, mostValues: number): CutProgram {
  const lastReader = lastReaders(program);
  const needed = [...lastReader.keys()]
    .filter((value) => program.nodes[value]?.kind !== 'constant')
    .sort((a, b) => a - b);
  const count = Math.max(1, Math.ceil(needed.length / mostValues));
  const firsts = Array.from({ length: count }, (_, piece) =>
    piece === 0 ? 0 : (needed[Math.floor((piece * needed.length) / count)] ?? 0),
  );
  const pieces = firsts.map((first, piece) => ({ first, end: firsts[piece + 1] ?? program.nodes.length }));
  const pieceOf = (value: Lanes): number => pieces.findIndex(({ end }) => value < end);

  const placeOf = new Map<Lanes, number>();
  const freedAfter = pieces.map((): number[] => []);
  const free: number[] = [];
  let places = 0;
  pieces.forEach(({ first, end }, piece) => {
    for (const value of needed.filter((value) => value >= first && value < end)) {
      const lastPiece = pieceOf(lastReader.get(value) ?? value);
      if (lastPiece === piece) continue;
      const place = free.pop() ?? places++;
      placeOf.set(value, place);
      freedAfter[lastPiece]?.push(place);
    }
    free.push(...(freedAfter[piece] ?? []));
  });
  return { pieces, placeOf, places };
}

/** For each value that a store needs, directly or not, the last value that reads it; itself where only stores do. */
export function lastReaders({ nodes, stores }: LaneProgram): Map<Lanes, Lanes> {
  const last = new Map<Lanes, Lanes>(stores.map(({ value }) => [value, value]));
  for (let value = nodes.length - 1; value >= 0; value--) {
    const node = nodes[value];
    if (!last.has(value) || node === undefined || !('operands' in node)) continue;
    for (const operand of node.operands) last.set(operand, Math.max(last.get(operand) ?? 0, value));
  }
  return last;
}
