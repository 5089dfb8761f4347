/**
 * Cosine of two vectors of one dimension, in [-1, 1]; 0 when either has no length. It stays a cosine: no mapping to [0, 1].
 * @throws RangeError when the dimensions differ (a defect of the caller: models are compared by id before vectors are)
 */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`cosine of ${a.length} and ${b.length} dimensions`);
  let dot = 0;
  let squaredA = 0;
  let squaredB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    squaredA += x * x;
    squaredB += y * y;
  }
  const lengths = Math.sqrt(squaredA) * Math.sqrt(squaredB);
  return lengths > 0 ? Math.max(-1, Math.min(1, dot / lengths)) : 0;
}

/**
 * The vector at length 1, as a new array.
 * @throws RangeError when it has no length or a value that is no number
 */
export function unit(vector: ArrayLike<number>): Float32Array {
  let squared = 0;
  for (let i = 0; i < vector.length; i++) squared += (vector[i] as number) ** 2;
  const length = Math.sqrt(squared);
  if (!(length > 0 && Number.isFinite(length))) throw new RangeError('a vector without length has no direction');
  return Float32Array.from(vector, (x) => x / length);
}

/**
 * Mean direction of several embeddings: each at unit length, times its weight (net speech seconds), summed, at unit length again.
 * @param vectors at least one, all of one dimension
 * @param weights one for each vector, positive
 * @throws RangeError when that is not so
 */
export function weightedMean(vectors: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const dimension = vectors[0]?.length ?? 0;
  const fits = vectors.every((vector) => vector.length === dimension) && weights.every((weight) => weight > 0);
  if (dimension === 0 || vectors.length !== weights.length || !fits) {
    throw new RangeError('a mean needs vectors of one dimension and a positive weight for each');
  }
  const sum = new Float64Array(dimension);
  vectors.forEach((vector, v) => {
    const weight = weights[v] as number;
    unit(vector).forEach((x, i) => (sum[i] = (sum[i] as number) + weight * x));
  });
  return unit(sum);
}
