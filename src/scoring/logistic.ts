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
  const size = (groups[0]?.targets[0]?.length ?? 0) + 1;
  const rows = flatRows(groups, size, prior);
  const cost = (theta: readonly number[]): number => {
    let sum = 0;
    for (let row = 0; row < rows.count; row++) {
      const margin = (rows.signs[row] as number) * (rows.dot(theta, row) + logitPrior);
      sum += (rows.weights[row] as number) * softplus(-margin);
    }
    return sum + (ridge / 2) * theta.reduce((squares, value) => squares + value * value, 0);
  };
  let theta: number[] = new Array<number>(size).fill(0);
  let best = cost(theta);
  for (let step = 0; step < 100; step++) {
    const gradient = theta.map((value) => ridge * value);
    const hessian = theta.map((_, i) => theta.map((__, j) => (i === j ? ridge : 0)));
    for (let row = 0; row < rows.count; row++) {
      const [sign, weight] = [rows.signs[row] as number, rows.weights[row] as number];
      const error = 1 / (1 + Math.exp(sign * (rows.dot(theta, row) + logitPrior)));
      const curvature = weight * error * (1 - error);
      for (let i = 0; i < size; i++) {
        const xi = rows.features[row * size + i] as number;
        gradient[i] = (gradient[i] as number) - weight * sign * error * xi;
        const line = hessian[i] as number[];
        for (let j = 0; j < size; j++) {
          line[j] = (line[j] as number) + curvature * xi * (rows.features[row * size + j] as number);
        }
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

/** All trials in flat arrays, since there are hundreds of thousands; the last feature of each is 1. */
interface FlatRows {
  readonly count: number;
  readonly features: Float64Array;
  /** 1 for targets, −1 for nontargets. */
  readonly signs: Float64Array;
  readonly weights: Float64Array;
  dot(theta: readonly number[], row: number): number;
}

function flatRows(groups: readonly TrialGroup[], size: number, prior: number): FlatRows {
  const count = groups.reduce((sum, { targets, nontargets }) => sum + targets.length + nontargets.length, 0);
  const features = new Float64Array(count * size);
  const signs = new Float64Array(count);
  const weights = new Float64Array(count);
  let row = 0;
  const add = (trials: Rows, sign: number, share: number): void => {
    for (const x of trials) {
      features.set(x, row * size);
      features[row * size + size - 1] = 1;
      signs[row] = sign;
      weights[row++] = share / trials.length / groups.length;
    }
  };
  for (const { targets, nontargets } of groups) {
    add(targets, 1, prior);
    add(nontargets, -1, 1 - prior);
  }
  const dot = (theta: readonly number[], at: number): number => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (theta[i] as number) * (features[at * size + i] as number);
    return sum;
  };
  return { count, features, signs, weights, dot };
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
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
