/** llr = Σ weights · features + offset */
export interface LinearLlr {
  readonly weights: readonly number[];
  readonly offset: number;
}

type Rows = readonly (readonly number[])[];

/** Pull of the weights towards 0: far below the data's, it only keeps separable data from sending them to infinity. */
const ridge = 1e-6;

/** Feature rows of same-speaker and of different-speaker trials of one kind (a list, a channel); all rows are of one length. */
export interface TrialGroup {
  readonly targets: Rows;
  readonly nontargets: Rows;
}

/**
 * Prior-weighted logistic regression: the affine map of features to a natural log-likelihood ratio that costs least at the given
 * prior (at ½ that is the least mean Cllr of the groups). Newton's method with halved steps; the objective is convex.
 * @param groups each counts the same, however many trials it has: else the largest list would set the scale for all
 * @param options.prior weight of the targets, in (0, 1)
 * @throws RangeError when a group lacks either kind
 */
export function fitLogistic(groups: readonly TrialGroup[], { prior }: { readonly prior: number }): LinearLlr {
  if (
    groups.length === 0 ||
    groups.some(({ targets, nontargets }) => targets.length === 0 || nontargets.length === 0)
  ) {
    throw new RangeError('a fit needs both kinds of trials in every group');
  }
  const logitPrior = Math.log(prior / (1 - prior));
  const rows = groups.flatMap(({ targets, nontargets }) => [
    ...targets.map((x) => ({ x: [...x, 1], sign: 1, weight: prior / targets.length / groups.length })),
    ...nontargets.map((x) => ({ x: [...x, 1], sign: -1, weight: (1 - prior) / nontargets.length / groups.length })),
  ]);
  const size = rows[0]?.x.length ?? 0;
  const cost = (theta: readonly number[]): number =>
    rows.reduce((sum, { x, sign, weight }) => sum + weight * softplus(-sign * (dot(theta, x) + logitPrior)), 0) +
    (ridge / 2) * dot(theta, theta);
  let theta: number[] = new Array<number>(size).fill(0);
  let best = cost(theta);
  for (let step = 0; step < 100; step++) {
    const gradient = theta.map((value) => ridge * value);
    const hessian = theta.map((_, i) => theta.map((__, j) => (i === j ? ridge : 0)));
    for (const { x, sign, weight } of rows) {
      const error = 1 / (1 + Math.exp(sign * (dot(theta, x) + logitPrior)));
      const curvature = weight * error * (1 - error);
      for (let i = 0; i < size; i++) {
        const xi = x[i] as number;
        gradient[i] = (gradient[i] as number) - weight * sign * error * xi;
        const row = hessian[i] as number[];
        for (let j = 0; j < size; j++) row[j] = (row[j] as number) + curvature * xi * (x[j] as number);
      }
    }
    const direction = solve(hessian, gradient);
    let length = 1;
    let next = moved(theta, direction, length);
    let nextCost = cost(next);
    while (nextCost > best && length > 1e-10) {
      length /= 2;
      next = moved(theta, direction, length);
      nextCost = cost(next);
    }
    const gain = best - nextCost;
    if (gain > 0) [theta, best] = [next, nextCost];
    if (gain < 1e-12) break;
  }
  return { weights: theta.slice(0, -1), offset: theta[size - 1] as number };
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
const moved = (from: readonly number[], direction: readonly number[], length: number): number[] =>
  from.map((x, i) => x - length * (direction[i] as number));

/** Solves the small symmetric system A x = b by elimination with pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] as number]);
  const size = rows.length;
  for (let k = 0; k < size; k++) {
    const pivot = rows
      .slice(k)
      .reduce((at, row, i) => (magnitude(row, k) > magnitude(rows[at] as number[], k) ? k + i : at), k);
    [rows[k], rows[pivot]] = [rows[pivot] as number[], rows[k] as number[]];
    const lead = rows[k] as number[];
    for (const row of rows) {
      if (row === lead) continue;
      const factor = (row[k] as number) / (lead[k] as number);
      for (let j = k; j <= size; j++) row[j] = (row[j] as number) - factor * (lead[j] as number);
    }
  }
  return rows.map((row, k) => (row[size] as number) / (row[k] as number));
}

const magnitude = (row: readonly number[], column: number): number => Math.abs(row[column] as number);
