import {
  attackNames,
  fitFusion,
  fusionCllr,
  lineOf,
  pairFactors,
  passedAtFnmr,
  type FusionTrials,
  type HeldPhrase,
  type Judge,
} from '../../src/scoring/fit-fusion.js';
import { folds, judgeAcross, speakerFolds, type HeldMeasure, type ScoredGroup } from '../../src/scoring/fit-voice.js';
import type { Trials } from '../../src/scoring/error-rates.js';
import type { FusionLine } from '../../src/scoring/fusion.js';
import type { PhraseLlrs } from './phrase-llrs.js';
import { percent, table } from './report.js';

/** LLRs of a group's trials by kind, and the fold that the speakers of each are in. */
export interface JudgedGroup extends Trials {
  readonly targetFolds: readonly number[];
  readonly nontargetFolds: readonly number[];
}

/** Voice LLRs by fits that have seen neither speaker. */
export function judgedGroups(groups: readonly ScoredGroup[], measures: readonly HeldMeasure[]): JudgedGroup[] {
  const foldOf = speakerFolds(groups);
  return judgeAcross(groups, measures).map((judged) => {
    const of = (isTarget: boolean): typeof judged => judged.filter(({ trial }) => trial.isTarget === isTarget);
    const llrs = (some: typeof judged): number[] => some.map(({ llr }) => llr);
    const foldsOf = (some: typeof judged): number[] => some.map(({ trial }) => foldOf.get(trial.modelSpeaker) ?? 0);
    return {
      targets: llrs(of(true)),
      nontargets: llrs(of(false)),
      targetFolds: foldsOf(of(true)),
      nontargetFolds: foldsOf(of(false)),
    };
  });
}

/** Most voice trials of one kind that a group gives, so that none dominates. */
const mostPerGroup = 300;

/** Attempts put together of voices and phrases whose speakers are in the wanted folds. */
export function attemptsOf(
  voices: readonly JudgedGroup[],
  phrases: readonly PhraseLlrs[],
  isWanted: (fold: number) => boolean = () => true,
): FusionTrials {
  const spread = (llrs: readonly number[], foldsOf: readonly number[]): number[] => {
    const kept = llrs.filter((_, i) => isWanted(foldsOf[i] as number));
    const step = Math.max(1, Math.floor(kept.length / mostPerGroup));
    return kept.filter((_, i) => i % step === 0);
  };
  const speakers = [...new Set(phrases.map(({ speaker }) => speaker))].sort();
  const heard = phrases.filter(({ speaker }) => isWanted(speakers.indexOf(speaker) % folds));
  return pairFactors(
    {
      right: voices.flatMap(({ targets, targetFolds }) => spread(targets, targetFolds)),
      wrong: voices.flatMap(({ nontargets, nontargetFolds }) => spread(nontargets, nontargetFolds)),
    },
    { right: heard.map(({ right }) => right), wrong: heard.flatMap(({ wrong }) => wrong) },
  );
}

/** The same Bayes rule without a line: at most ln 2 above the weaker of the two. */
const softMinimum: Judge = ([voice, phrase]) => -Math.log(0.5 * Math.exp(-voice) + 0.5 * Math.exp(-phrase));

/** The line fitted on all folds, and the cost of those fitted without the folds they judge. */
export function fitFusionOn(
  voices: readonly JudgedGroup[],
  phrases: readonly PhraseLlrs[],
  held: HeldPhrase,
): { readonly line: FusionLine; readonly cllr: number; readonly softMinimumCllr: number } {
  const costs = Array.from({ length: folds }, (_, fold) => {
    const line = fitFusion(
      attemptsOf(voices, phrases, (one) => one !== fold),
      held,
    );
    const unseen = attemptsOf(voices, phrases, (one) => one === fold);
    return { line: fusionCllr(unseen, lineOf(line)), soft: fusionCllr(unseen, softMinimum) };
  });
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    line: fitFusion(attemptsOf(voices, phrases), held),
    cllr: mean(costs.map((cost) => cost.line)),
    softMinimumCllr: mean(costs.map((cost) => cost.soft)),
  };
}

/** How much of each attack passes where a share of the genuine attempts does not, by the line, the soft minimum and the voice alone. */
export function reportFusion(attempts: FusionTrials, line: FusionLine, fnmrs: readonly number[]): string[] {
  const judges: readonly [string, Judge][] = [
    ['line', lineOf(line)],
    ['soft minimum', softMinimum],
    ['voice alone', ([voice]) => voice],
  ];
  const rows = judges.flatMap(([name, judge]) =>
    fnmrs.map((fnmr) => {
      const passed = passedAtFnmr(attempts, judge, fnmr);
      return [
        name,
        fusionCllr(attempts, judge).toFixed(3),
        percent(fnmr),
        ...attackNames.map((attack) => percent(passed[attack])),
      ];
    }),
  );
  return table(['judge', 'Cllr', 'FNMR %', ...attackNames.map((name) => `${name} %`)], rows);
}
