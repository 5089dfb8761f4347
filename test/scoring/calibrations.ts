import type { Calibration } from '../../src/scoring/calibration.js';
import type { FusionLine } from '../../src/scoring/fusion.js';
import { madeCohort, model } from './cohorts.js';

/** A line over voice and phrase. */
export const line: FusionLine = {
  voice: 0.9,
  phrase: 0.7,
  offset: -3,
  rightPinLlr: Math.LN2,
  leastPhraseLlr: -10,
  mostPhraseLlr: 5,
};

/** A calibration of the model that never was, over scores normalised with its made-up cohort. */
export const calibration: Calibration = {
  version: '2026-11-22.1',
  modelId: model.id,
  modelSha256: model.sha256,
  normalisation: { kind: 'as-norm', cohortSha256: madeCohort().sha256, topN: 10 },
  voice: {
    scale: 2,
    offset: -7,
    measures: [{ name: 'ln-test-seconds', weight: -1.5, least: 0, most: Math.log(6) }],
  },
  fusion: { ...line, recogniserId: 'some-recogniser', crossValidation: { cllr: 0.2 } },
  nontarget: { meanLlr: -4, sdLlr: 3 },
  fittedOn: [{ source: 'a list', condition: 'plain', speakers: 10, targets: 20, nontargets: 200 }],
  crossValidation: { folds: 5, cllr: 0.3, minCllr: 0.29, eer: 0.08 },
  date: '2026-11-22',
  command: 'node dist/bench/calibrate.js',
  notes: [],
};
