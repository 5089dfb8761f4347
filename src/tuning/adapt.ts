import { VoicegateError } from '../errors.js';
import { parseCohort, type CohortModel } from '../scoring/cohort.js';
import type { Calibration } from '../scoring/calibration.js';
import { judgeAcross, nontargetMoments, type CrossValidated } from '../scoring/fit-voice.js';
import { usualFusion } from '../scoring/fusion.js';
import type { Scorer } from '../scoring/score-voice.js';
import { fitterFor, likeShipped, measuresOf, type OwnFit } from './own-fit.js';
import { beforeAndAfter, strangersBeforeAndAfter, type AdaptReport } from './own-report.js';
import { ownTrials, type OwnTrial } from './own-trials.js';
import { centreOf, cohortFileOf, halves, voicesOf, type HeardCall, type OwnVoice } from './own-voices.js';
import type { NamedThreshold } from './speaker-report.js';

/** What `adapt` is told beside the calls. */
export interface AdaptOptions {
  readonly model: CohortModel;
  /** The scorer that came with the model; null where it has none. */
  readonly shipped: Scorer | null;
  /** Name of the new calibration. */
  readonly version: string;
  /** YYYY-MM-DD */
  readonly date: string;
  readonly command: string;
  readonly thresholds: readonly NamedThreshold[];
  /** Draws of the bootstrap behind the intervals. */
  readonly rounds: number;
}

/** A new version of what scores a model's comparisons, made of an operator's own calls. */
export interface Adaptation {
  readonly cohort: Buffer;
  readonly calibration: Calibration;
  readonly report: AdaptReport;
}

/** Fewest voices: half of them make a cohort, half fit a line. */
const fewestVoices = 40;
/** How much of the cohort is looked at, where the shipped calibration does not say. */
const usualTopN = 200;

/**
 * Re-estimates centre, cohort and calibration from an operator's own calls.
 *
 * With enough named callers who called twice the line over the normalised score is fitted by logistic regression, with few in closed form
 * (linked Gaussians). Without names the line that came with the model is moved and stretched so that comparisons of different calls,
 * nearly all of different callers, lie where different speakers lay when it was fitted (median, and median absolute deviation, which a few
 * comparisons of one caller with himself do not move); that own callers then score as they did there is taken on trust.
 * @param calls that could be heard, of one model
 * @throws VoicegateError `invalid_request` when there are too few, or no names for a model without calibration; says how many would do
 */
export function adapt(calls: readonly HeardCall[], options: AdaptOptions): Adaptation {
  const { model, shipped } = options;
  const voices = voicesOf(calls);
  if (voices.length < fewestVoices) {
    throw new VoicegateError('invalid_request', `${voices.length} voices could be heard, too few to adapt to`, {
      hint: `Give calls of at least ${fewestVoices} callers; without a column speaker each call counts as a caller`,
    });
  }
  if (shipped?.cohort?.centre !== undefined && shipped.cohort?.centre !== null) {
    throw new VoicegateError('invalid_request', `calibration ${shipped.calibration.version} is itself an adapted one`, {
      hint: 'Adapt from what came with the model',
    });
  }
  const { normalising, fitting } = halves(voices);
  const centre = centreOf(normalising);
  const file = cohortFileOf(normalising, shipped?.cohort ?? null, centre, model);
  const cohort = parseCohort(file, model);
  const topN = Math.min(topOf(shipped), Math.max(2, Math.floor(cohort.size / 3)));
  const trials = ownTrials(fitting, { cohort, topN }, shipped);
  const { fit, report } = fitted(trials, fitting, options);
  return {
    cohort: file,
    calibration: {
      ...(shipped === null ? { fusion: usualFusion } : shipped.calibration),
      version: options.version,
      modelId: model.id,
      modelSha256: model.sha256,
      normalisation: { kind: 'as-norm', cohortSha256: cohort.sha256, topN },
      voice: fit.voice,
      nontarget: fit.nontarget,
      fittedOn: [
        {
          source: 'own calls',
          condition: fit.kind,
          speakers: fitting.length,
          targets: trials.filter((trial) => trial.isTarget).length,
          nontargets: trials.filter((trial) => !trial.isTarget).length,
        },
      ],
      crossValidation: fit.crossValidation,
      date: options.date,
      command: options.command,
      notes: [
        `Adapted to ${calls.length} calls of ${voices.length} voices; half of the voices are in the cohort, half fitted the line.`,
        ...fit.notes,
      ],
    },
    report: {
      kind: fit.kind,
      calls: calls.length,
      voices: voices.length,
      cohortSize: cohort.size,
      centreLength: Math.hypot(...centre),
      ...report,
    },
  };
}

type Figures = Pick<AdaptReport, 'rates' | 'strangers'>;

function fitted(
  trials: readonly OwnTrial[],
  voices: readonly OwnVoice[],
  { shipped, thresholds, rounds }: AdaptOptions,
): { fit: OwnFit; report: Figures } {
  const group = { source: 'own calls', condition: 'labelled', trials };
  const fitter = fitterFor(trials, voices);
  if (fitter !== null) {
    const measures = measuresOf(trials, shipped, fitter.kind);
    const voice = fitter.fit([group], measures);
    const judged = (judgeAcross([group], measures, fitter.fit)[0] ?? []).map(({ trial, llr }) => ({ ...trial, llr }));
    const rates = beforeAndAfter(judged, { thresholds, rounds });
    const crossValidation: CrossValidated = {
      folds: fitter.folds,
      cllr: rates.after.cllr as number,
      minCllr: rates.after.minCllr as number,
      eer: rates.after.eer as number,
    };
    const nontarget = nontargetMoments([group], voice);
    return {
      fit: { kind: fitter.kind, voice, nontarget, crossValidation, notes: [] },
      report: { rates, strangers: null },
    };
  }
  if (shipped === null) {
    throw new VoicegateError(
      'invalid_request',
      'the model has no calibration yet, and the calls do not say who speaks',
      {
        hint: 'Name the callers in a column speaker: at least 20 of them with two calls or more',
      },
    );
  }
  const fit = likeShipped(
    trials.filter((trial) => !trial.isTarget),
    shipped.calibration,
  );
  return { fit, report: { rates: null, strangers: strangersBeforeAndAfter(trials, fit.voice, thresholds) } };
}

function topOf(shipped: Scorer | null): number {
  const normalisation = shipped?.calibration.normalisation;
  return normalisation?.kind === 'as-norm' ? normalisation.topN : usualTopN;
}
