import type { Trials } from './error-rates.js';

/** log2(1 + e^x) without overflow. */
const softplusBits = (x: number): number => (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))) / Math.LN2;

/**
 * Cost of log-likelihood ratios (natural) in bits, Brümmer and du Preez 2006:
 * ½ [mean over targets of log2(1 + e^−llr) + mean over nontargets of log2(1 + e^llr)]. 0 is perfect, 1 says nothing.
 */
export function cllr({ targets, nontargets }: Trials): number {
  const mean = (values: readonly number[], sign: number): number =>
    values.reduce((sum, llr) => sum + (llr === -sign * Infinity ? 0 : softplusBits(sign * llr)), 0) / values.length;
  return (mean(targets, -1) + mean(nontargets, 1)) / 2;
}

/** Cllr after the best monotone map of the scores (pool adjacent violators): what calibration cannot mend. */
export function minCllr(trials: Trials): number {
  const blocks = pooledBlocks(trials);
  const logPriorOdds = Math.log(trials.targets.length / trials.nontargets.length);
  let targetBits = 0;
  let nontargetBits = 0;
  for (const { targets, nontargets } of blocks) {
    const llr = Math.log(targets / nontargets) - logPriorOdds;
    if (targets > 0) targetBits += targets * (nontargets > 0 ? softplusBits(-llr) : 0);
    if (nontargets > 0) nontargetBits += nontargets * (targets > 0 ? softplusBits(llr) : 0);
  }
  return (targetBits / trials.targets.length + nontargetBits / trials.nontargets.length) / 2;
}

interface Block {
  targets: number;
  nontargets: number;
}

/** Runs of scores, ascending, whose share of targets never falls from one to the next. */
function pooledBlocks({ targets, nontargets }: Trials): readonly Block[] {
  const tally = new Map<number, Block>();
  const at = (score: number): Block => {
    const block = tally.get(score) ?? { targets: 0, nontargets: 0 };
    tally.set(score, block);
    return block;
  };
  targets.forEach((score) => at(score).targets++);
  nontargets.forEach((score) => at(score).nontargets++);
  const blocks: Block[] = [];
  for (const [, next] of [...tally].sort(([a], [b]) => a - b)) {
    let block = next;
    for (let before = blocks.at(-1); before !== undefined && share(before) >= share(block); before = blocks.at(-1)) {
      block = { targets: before.targets + block.targets, nontargets: before.nontargets + block.nontargets };
      blocks.pop();
    }
    blocks.push(block);
  }
  return blocks;
}

const share = ({ targets, nontargets }: Block): number => targets / (targets + nontargets);
