import t from 'tap';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelsDir } from '../../src/paths.js';
import { defaultModelId } from '../../src/config.js';
import { defaultPolicy } from '../../src/decision/policy.js';
import { loadCalibration, parseCalibration } from '../../src/scoring/calibration.js';
import type { CohortModel } from '../../src/scoring/cohort.js';
import { fuse } from '../../src/scoring/fusion.js';
import { loadScorer } from '../../src/scoring/score-voice.js';
import { calibration as valid } from './calibrations.js';
import { model } from './cohorts.js';

const invalid = (message: RegExp): { code: string; message: RegExp } => ({ code: 'model_invalid', message });

void t.test('a calibration of other weights, or of another model, is refused', async (t) => {
  t.same(parseCalibration(valid, model), valid);
  t.throws(() => parseCalibration(valid, { ...model, sha256: 'b'.repeat(64) }), invalid(/was fitted for/));
  t.throws(() => parseCalibration(valid, { ...model, id: 'other' }), invalid(/was fitted for/));
});

void t.test('what is no calibration is refused, naming the field', async (t) => {
  const { voice } = valid;
  const [measure] = voice.measures;
  for (const [value, field] of [
    [{ ...valid, voice: { ...voice, scale: -1 } }, /voice.scale/],
    [{ ...valid, voice: { ...voice, scale: NaN } }, /voice.scale/],
    [{ ...valid, voice: { ...voice, measures: [{ ...measure, name: 'loudness' }] } }, /measures.0/],
    [{ ...valid, normalisation: { kind: 'z-norm' } }, /normalisation/],
    [{ ...valid, normalisation: { kind: 'as-norm', cohortSha256: 'abc', topN: 10 } }, /normalisation/],
    [{ ...valid, surprise: 1 }, /calibration of/],
    [null, /calibration of/],
  ] as const) {
    t.throws(() => parseCalibration(value, model), invalid(field));
  }
});

void t.test('a missing or broken file is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'voicegate-calibration-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'calibration.json');
  await t.rejects(loadCalibration(path, model), invalid(/is not there: without one the model cannot judge/));
  await writeFile(path, '{ "version": ');
  await t.rejects(loadCalibration(path, model), invalid(/cannot be read/));
  await writeFile(path, JSON.stringify(valid));
  t.same(await loadCalibration(path, model), valid);
});

for (const id of ['voicegate-8k-4', 'voicegate-8k-4-int8', 'baseline-8k-80']) {
  void t.test(
    `the calibration and cohort that ${id} is shipped with are its own; evaluation lists fit nothing`,
    async (t) => {
      const folder = join(modelsDir, id);
      const card = JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')) as CohortModel;
      const { calibration } = await loadScorer(folder, card);
      t.ok(calibration.fittedOn.every(({ source }) => !/ivr-digits|zh-digits/.test(source)));
      if (id === defaultModelId) t.ok(calibration.printTail, 'bench/duplicates measured the default model');
      const { fusion } = calibration;
      const best = fuse(
        { voiceLlr: defaultPolicy.tiers.standard.minVoiceLlr, phraseLlr: Infinity, rightPin: true },
        fusion,
      );
      t.ok(
        best < defaultPolicy.tiers.high.minFusedLlr,
        'a voice that just does for the standard tier opens the high one with no words and no PIN',
      );
    },
  );
}
