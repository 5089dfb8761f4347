import { createHash } from 'node:crypto';
import { cohortBytes, parseCohort, type Cohort } from '../../src/scoring/cohort.js';
import { unit } from '../../src/scoring/cosine.js';
import { seeded } from './seeded-scores.js';

/** A model that never was. */
export const model = { id: 'some-model', sha256: 'a'.repeat(64), dimension: 8 };

/** So many directions without meaning, as unit vectors. */
export function directions(count: number, dimension = model.dimension, seed = 5): Float32Array[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => unit(Float64Array.from({ length: dimension }, () => random() - 0.5)));
}

/** A cohort file of the model. */
export function cohortFileBytes(count = 20): Buffer {
  return cohortBytes(
    directions(count).map((vector, i) => ({ speaker: `speaker ${i}`, vector })),
    model,
  );
}

/** The same, read. */
export function madeCohort(count = 20): Cohort {
  return parseCohort(cohortFileBytes(count), model);
}

/** A cohort of exactly these rows, without a file. */
export function cohortOf(rows: readonly (readonly number[])[]): Cohort {
  const vectors = Float32Array.from(rows.flat());
  const sha256 = createHash('sha256').update(vectors).digest('hex');
  return { sha256, dimension: rows[0]?.length ?? 0, size: rows.length, vectors, centre: null };
}
