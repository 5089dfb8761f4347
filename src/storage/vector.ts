import pgvector from 'pgvector';

/**
 * A vector as pgvector's text. Every float32 is a double, and its shortest decimal reads back as the same float32,
 * so nothing is lost on the way in or out.
 * @throws RangeError when a component is not finite: pgvector takes none, and no network should give one
 */
export function toSql(vector: Float32Array): string {
  if (!vector.every(Number.isFinite))
    throw new RangeError('a vector with components that are not finite cannot be stored');
  return pgvector.toSql(Array.from(vector)) as string;
}

/** The vector of a column's text. */
export function fromSql(text: string): Float32Array {
  return Float32Array.from(pgvector.fromSql(text) as number[]);
}
