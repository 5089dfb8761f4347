import type { Cohort } from './cohort.js';
import { unit } from './cosine.js';

/** How much a voice is like the cohort's voices that are most like it. */
export interface CohortStatistics {
  /** Of its topN highest cosines. */
  readonly mean: number;
  /** Standard deviation of the same, divided by topN. */
  readonly sd: number;
}

/**
 * Mean and standard deviation of a voice's `topN` highest cosines to a cohort.
 * @param vector of the cohort's dimension, any length above 0
 * @param topN from 2 to the cohort's size
 * @throws RangeError when that is not so
 */
export function cohortStatistics(vector: Float32Array, cohort: Cohort, topN: number): CohortStatistics {
  const { vectors, dimension, size } = cohort;
  if (vector.length !== dimension) throw new RangeError(`${vector.length} dimensions against a cohort of ${dimension}`);
  if (!(topN >= 2 && topN <= size)) throw new RangeError(`the top ${topN} of a cohort of ${size}`);
  const direction = unit(vector);
  const cosines = new Float64Array(size);
  for (let row = 0, at = 0; row < size; row++) {
    let dot = 0;
    for (let i = 0; i < dimension; i++, at++) dot += (direction[i] as number) * (vectors[at] as number);
    cosines[row] = dot;
  }
  const top = cosines.sort().subarray(size - topN);
  const mean = top.reduce((sum, value) => sum + value, 0) / topN;
  const variance = top.reduce((sum, value) => sum + (value - mean) ** 2, 0) / topN;
  return { mean, sd: Math.sqrt(variance) };
}

/**
 * Adaptive symmetric score normalisation: ½ [(s − μ_e) / σ_e + (s − μ_t) / σ_t], each side with the statistics of its own nearest
 * cohort voices: how many standard deviations it stands above strangers that sound alike. Any range, rises with the cosine; NaN where
 * a side's voices all sound the same.
 */
export function asNorm(cosine: number, enrolment: CohortStatistics, test: CohortStatistics): number {
  if (!(enrolment.sd > 0 && test.sd > 0)) return NaN;
  return ((cosine - enrolment.mean) / enrolment.sd + (cosine - test.mean) / test.sd) / 2;
}
