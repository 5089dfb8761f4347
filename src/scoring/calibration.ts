import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';

const closed = { additionalProperties: false } as const;
const positive = Type.Number({ exclusiveMinimum: 0 });
const count = Type.Integer({ minimum: 0 });

/** models/<id>/calibration.json: how a model's cosine becomes a log-likelihood ratio, and where that was learned. */
export const calibrationSchema = Type.Object(
  {
    /** Recorded with every verification, e.g. `2026-11-22.1`. */
    version: Type.String({ minLength: 1, maxLength: 40 }),
    modelId: Type.String({ minLength: 1, maxLength: 80 }),
    modelSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** llr = scale · cosine + offset + secondsWeight · ln(net speech seconds of the test, held within leastSeconds and mostSeconds) */
    kind: Type.Literal('cosine-and-test-seconds'),
    scale: positive,
    offset: Type.Number(),
    /** Negative: at one cosine a longer test speaks less for the same speaker, because its cosines vary less. */
    secondsWeight: Type.Number(),
    /** The range that the fit has seen: beyond it the line is not drawn on. */
    leastSeconds: positive,
    mostSeconds: positive,
    /** Scores of different speakers on the fitting trials: the service draws decoy evidence from these. */
    nontarget: Type.Object({ meanLlr: Type.Number(), sdLlr: positive }, closed),
    fittedOn: Type.Array(
      Type.Object(
        {
          source: Type.String({ minLength: 1 }),
          condition: Type.String({ minLength: 1 }),
          speakers: count,
          targets: count,
          nontargets: count,
        },
        closed,
      ),
      { minItems: 1 },
    ),
    /** Speaker-disjoint cross-validation over the fitting trials. */
    crossValidation: Type.Object(
      { folds: Type.Integer({ minimum: 2 }), cllr: positive, minCllr: positive, eer: positive },
      closed,
    ),
    date: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
    command: Type.String({ minLength: 1 }),
    notes: Type.Array(Type.String()),
  },
  closed,
);

/** A calibration as data; see `calibrationSchema`. */
export type Calibration = Static<typeof calibrationSchema>;

/** How much speech stood on either side of a comparison. */
export interface ComparisonSpeech {
  /** Not looked at by today's calibration: it lowered the cross-validated Cllr by nothing that counts (README.md). */
  readonly enrolNetSpeechSeconds: number;
  readonly testNetSpeechSeconds: number;
}

/** Holds seconds of speech within the range that a fit has seen. */
export function heldSeconds(seconds: number, { leastSeconds, mostSeconds }: SecondsRange): number {
  return Math.min(mostSeconds, Math.max(leastSeconds, seconds));
}

type SecondsRange = Pick<Calibration, 'leastSeconds' | 'mostSeconds'>;

/**
 * Calibrated natural log-likelihood ratio, same speaker against different speakers. Rises with the cosine; NaN where either number is.
 * @param cosine in [-1, 1], as scoring/cosine.ts gives it
 */
export function toLlr(cosine: number, speech: ComparisonSpeech, calibration: Calibration): number {
  const { scale, offset, secondsWeight } = calibration;
  return scale * cosine + offset + secondsWeight * Math.log(heldSeconds(speech.testNetSpeechSeconds, calibration));
}

/**
 * Checks a calibration that came from a file.
 * @param model the id and hash of the model that is loaded
 * @throws VoicegateError `model_invalid` when it is not a calibration or was fitted for other weights
 */
export function parseCalibration(value: unknown, model: { readonly id: string; readonly sha256: string }): Calibration {
  const [fault] = Value.Errors(calibrationSchema, value);
  if (fault !== undefined) {
    throw new VoicegateError(
      'model_invalid',
      `calibration of ${model.id}: ${fault.instancePath || '/'} ${fault.message}`,
      {
        hint: 'fit it again with bench/calibrate',
      },
    );
  }
  const calibration = value as Calibration;
  if (calibration.modelId !== model.id || calibration.modelSha256 !== model.sha256) {
    throw new VoicegateError(
      'model_invalid',
      `calibration ${calibration.version} was fitted for ${calibration.modelId} ${calibration.modelSha256.slice(0, 12)}…, ` +
        `the model is ${model.id} ${model.sha256.slice(0, 12)}…`,
      { hint: 'a calibration holds for the weights it was fitted on: fit it again with bench/calibrate' },
    );
  }
  return calibration;
}

/**
 * Reads and checks models/<id>/calibration.json.
 * @throws VoicegateError `model_invalid` when it is missing, no JSON, no calibration, or one for other weights
 */
export async function loadCalibration(
  path: string,
  model: { readonly id: string; readonly sha256: string },
): Promise<Calibration> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new VoicegateError('model_invalid', `the calibration of ${model.id} cannot be read`, {
      hint: 'each model folder holds a calibration.json; bench/calibrate makes it',
      cause,
    });
  }
  return parseCalibration(value, model);
}
