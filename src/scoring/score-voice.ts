import { join } from 'node:path';
import { VoicegateError } from '../errors.js';
import { asNorm, cohortStatistics } from './as-norm.js';
import { loadCalibration, type Calibration, type MeasureName } from './calibration.js';
import { centred, loadCohort, type Cohort, type CohortModel } from './cohort.js';
import { cosine } from './cosine.js';

/** One voice against another, of one model. */
export interface VoiceComparison {
  readonly enrolment: {
    /** The print: mean direction of its utterances. */
    readonly vector: Float32Array;
    readonly netSpeechSeconds: number;
  };
  readonly test: {
    readonly vector: Float32Array;
    readonly netSpeechSeconds: number;
    /** Null where there was no pause to measure noise in. */
    readonly snrDb: number | null;
  };
}

/** What a comparison says, from raw to calibrated. */
export interface VoiceScore {
  /** [-1, 1] */
  readonly cosine: number;
  /** After score normalisation with the cohort, any range; the cosine itself where the calibration knows no cohort. */
  readonly normalised: number;
  /** Calibrated natural log-likelihood ratio, same speaker against different speakers. */
  readonly llr: number;
}

/** What scores a model's comparisons; the cohort is null where the calibration works on cosines. */
export interface Scorer {
  readonly calibration: Calibration;
  readonly cohort: Cohort | null;
}

/**
 * Scores one comparison: verification, evaluation and fitting all ask here. Rises with the cosine; NaN where a number it needs is NaN.
 * @throws RangeError when a vector has no direction or another dimension than the scorer's model
 */
export function scoreVoice(comparison: VoiceComparison, { calibration, cohort }: Scorer): VoiceScore {
  const normalised = normalisedScore(comparison, calibration.normalisation, cohort);
  return {
    cosine: cosine(comparison.enrolment.vector, comparison.test.vector),
    normalised,
    llr: voiceLlr(normalised, comparison, calibration.voice),
  };
}

/**
 * The comparison's cosine normalised with the cohort, after its centre was taken off both sides; the cosine itself without a cohort.
 * @throws RangeError when a vector has no direction or another dimension than the cohort
 */
export function normalisedScore(
  { enrolment, test }: Pick<VoiceComparison, 'enrolment' | 'test'>,
  normalisation: Calibration['normalisation'],
  cohort: Cohort | null,
): number {
  if (normalisation.kind === 'none' || cohort === null) return cosine(enrolment.vector, test.vector);
  const { topN } = normalisation;
  const [one, other] = [centred(enrolment.vector, cohort.centre), centred(test.vector, cohort.centre)];
  return asNorm(cosine(one, other), cohortStatistics(one, cohort, topN), cohortStatistics(other, cohort, topN));
}

/** The calibration's line over a (normalised) score and the measures of the speech on either side. */
export function voiceLlr(score: number, comparison: MeasuredSpeech, voice: Calibration['voice']): number {
  return voice.measures.reduce(
    (sum, { name, weight, least, most }) => sum + weight * held(measureOf[name](comparison), least, most),
    voice.scale * score + voice.offset,
  );
}

/** How much speech of what quality stood on either side of a comparison. */
export interface MeasuredSpeech {
  readonly enrolment: Pick<VoiceComparison['enrolment'], 'netSpeechSeconds'>;
  readonly test: Pick<VoiceComparison['test'], 'netSpeechSeconds' | 'snrDb'>;
}

/** Without a pause nothing is known of the noise: such speech counts as clean. */
const snrWithoutPauseDb = 30;

/** The quality measures by name. */
export const measureOf: Readonly<Record<MeasureName, (comparison: MeasuredSpeech) => number>> = {
  'ln-test-seconds': ({ test }) => Math.log(test.netSpeechSeconds),
  'ln-enrol-seconds': ({ enrolment }) => Math.log(enrolment.netSpeechSeconds),
  'test-snr-db': ({ test }) => test.snrDb ?? snrWithoutPauseDb,
};

/** Within least and most; NaN stays NaN. */
export const held = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/**
 * Reads a model's calibration and the cohort that it was fitted with.
 * @param dir the model's folder
 * @throws VoicegateError `model_invalid` when either is missing or broken, was made for other weights, or the cohort is another than
 *   the calibration names
 */
export async function loadScorer(dir: string, model: CohortModel): Promise<Scorer> {
  const calibration = await loadCalibration(join(dir, 'calibration.json'), model);
  const { normalisation } = calibration;
  if (normalisation.kind === 'none') return { calibration, cohort: null };
  const cohort = await loadCohort(join(dir, cohortFile), model);
  return joinScorer(calibration, cohort, model.id);
}

/** The cohort's name in a model's folder. */
export const cohortFile = 'cohort.safetensors';

/** Joins the two if they belong together. @throws VoicegateError `model_invalid` */
export function joinScorer(calibration: Calibration, cohort: Cohort, modelId: string): Scorer {
  const { normalisation, version } = calibration;
  const refuse = (reason: string): never => {
    throw new VoicegateError('model_invalid', `calibration ${version} of ${modelId} ${reason}`, {
      hint: 'calibration and cohort are made together: make them again with bench/calibrate',
    });
  };
  if (normalisation.kind === 'none') return refuse('normalises nothing, yet there is a cohort');
  const { cohortSha256, topN } = normalisation;
  if (cohortSha256 !== cohort.sha256) {
    return refuse(
      `was fitted with cohort ${cohortSha256.slice(0, 12)}…, the folder has ${cohort.sha256.slice(0, 12)}…`,
    );
  }
  if (topN > cohort.size) return refuse(`takes the top ${topN} of a cohort of ${cohort.size}`);
  return { calibration, cohort };
}
