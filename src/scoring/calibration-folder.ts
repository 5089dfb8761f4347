import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Which calibration judges; the configuration fits. */
export interface CalibrationChoice {
  /** Folder of the calibrations made by `voicegate adapt`: one folder a model, in it one a version. */
  readonly calibrationsDir: string;
  /** The version that judges; null: what came with each model. */
  readonly calibrationVersion: string | null;
  /** The active model: it must have that version; one beside it may have it. */
  readonly modelId: string;
}

/** Where the calibration of a version lies, whether or not it is there. */
export function adaptedDir(calibrationsDir: string, modelId: string, version: string): string {
  return join(calibrationsDir, modelId, version);
}

/**
 * The folder with the calibration (and cohort) that is to be loaded for a model.
 * @param modelDir the model's own folder
 */
export function calibrationDir(modelId: string, modelDir: string, choice: CalibrationChoice): string {
  const { calibrationsDir, calibrationVersion } = choice;
  if (calibrationVersion === null) return modelDir;
  const dir = adaptedDir(calibrationsDir, modelId, calibrationVersion);
  return modelId === choice.modelId || existsSync(dir) ? dir : modelDir;
}
