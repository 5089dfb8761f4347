/** A score with its kind. */
export interface LabelledScore {
  readonly score: number;
  readonly isTarget: boolean;
}

/** Error rates of one draw of trials, shares in [0, 1]; detection costs normalised by the better blind answer. */
export interface CurveRates {
  readonly eer: number;
  readonly minDcf01: number;
  readonly minDcf001: number;
}

/**
 * Trials sorted once, so that the many draws of a bootstrap cost one pass each. With every weight 1 the rates are those of
 * scoring/error-rates.ts.
 */
export class SortedTrials {
  /** Index of the trial at each place of the ascending order. */
  private readonly order: Int32Array;
  private readonly scores: Float64Array;
  private readonly isTarget: Uint8Array;

  /** @throws RangeError when a kind of trial is missing or a score is no number */
  constructor(trials: readonly LabelledScore[]) {
    if (!trials.some((one) => one.isTarget) || trials.every((one) => one.isTarget)) {
      throw new RangeError('error rates need both kinds of trials');
    }
    if (trials.some((one) => Number.isNaN(one.score))) throw new RangeError('a score is no number');
    this.order = Int32Array.from(trials.keys()).sort((a, b) => trials[a]!.score - trials[b]!.score);
    this.scores = Float64Array.from(this.order, (at) => trials[at]!.score);
    this.isTarget = Uint8Array.from(this.order, (at) => (trials[at]!.isTarget ? 1 : 0));
  }

  /**
   * @param weightOf how often each trial counts, by its index in the constructor's array; 0 leaves it out
   * @returns null when a kind has no weight
   */
  rates(weightOf: ArrayLike<number>): CurveRates | null {
    const { order, scores, isTarget } = this;
    let targets = 0;
    let nontargets = 0;
    for (let at = 0; at < order.length; at++) {
      if (isTarget[at] === 1) targets += weightOf[order[at]!]!;
      else nontargets += weightOf[order[at]!]!;
    }
    if (!(targets > 0 && nontargets > 0)) return null;
    let missed = 0;
    let refused = 0;
    let eer: number | null = null;
    let before = { fnmr: 0, fmr: 1 };
    let minDcf01 = 1;
    let minDcf001 = 1;
    for (let at = 0; at < order.length;) {
      const score = scores[at]!;
      let moved = 0;
      for (; at < order.length && scores[at] === score; at++) {
        const weight = weightOf[order[at]!]!;
        moved += weight;
        if (isTarget[at] === 1) missed += weight;
        else refused += weight;
      }
      if (moved === 0) continue;
      const fnmr = missed / targets;
      const fmr = 1 - refused / nontargets;
      if (eer === null && fnmr >= fmr) {
        const gap = before.fmr - before.fnmr;
        eer = before.fnmr + (gap / (gap + fnmr - fmr)) * (fnmr - before.fnmr);
      }
      before = { fnmr, fmr };
      minDcf01 = Math.min(minDcf01, (0.01 * fnmr + 0.99 * fmr) / 0.01);
      minDcf001 = Math.min(minDcf001, (0.001 * fnmr + 0.999 * fmr) / 0.001);
    }
    return { eer: eer ?? before.fnmr, minDcf01, minDcf001 };
  }
}
