import { readFile } from 'node:fs/promises';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import { calibrationSchema, type Calibration } from './calibration-schema.js';

export type { Calibration, Fusion, MeasureName } from './calibration-schema.js';

/** The model that a calibration must belong to; a model card fits. */
export interface CalibratedModel {
  readonly id: string;
  readonly sha256: string;
}

/**
 * Checks a calibration that came from a file.
 * @param model the id and hash of the model that is loaded
 * @throws VoicegateError `model_invalid` when it is not a calibration or was fitted for other weights
 */
export function parseCalibration(value: unknown, model: CalibratedModel): Calibration {
  const [fault] = Value.Errors(calibrationSchema, value);
  if (fault !== undefined) {
    throw new VoicegateError(
      'model_invalid',
      `calibration of ${model.id}: ${fault.instancePath || '/'} ${fault.message}`,
      { hint: 'fit it again with bench/calibrate' },
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
export async function loadCalibration(path: string, model: CalibratedModel): Promise<Calibration> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'is not there: without one the model cannot judge' : 'cannot be read';
    throw new VoicegateError('model_invalid', `the calibration of ${model.id} ${reason}`, {
      hint:
        `\`voicegate adapt --model ${model.id}\` fits one from your own calls, to be named by VOICEGATE_CALIBRATION; ` +
        `\`voicegate eval --model ${model.id}\` needs none`,
      cause,
    });
  }
  return parseCalibration(value, model);
}
