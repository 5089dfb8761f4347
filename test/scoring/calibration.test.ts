import t from 'tap';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelsDir } from '../../src/paths.js';
import { loadCalibration, parseCalibration, toLlr, type Calibration } from '../../src/scoring/calibration.js';
import { near } from './seeded-scores.js';

const model = { id: 'some-model', sha256: 'a'.repeat(64) };
const valid: Calibration = {
  version: '2026-11-22.1',
  modelId: model.id,
  modelSha256: model.sha256,
  kind: 'cosine-and-test-seconds',
  scale: 20,
  offset: -7,
  secondsWeight: -2,
  leastSeconds: 1,
  mostSeconds: 6,
  nontarget: { meanLlr: -4, sdLlr: 3 },
  fittedOn: [{ source: 'a list', condition: 'plain', speakers: 10, targets: 20, nontargets: 200 }],
  crossValidation: { folds: 5, cllr: 0.3, minCllr: 0.29, eer: 0.08 },
  date: '2026-11-22',
  command: 'node dist/bench/calibrate.js',
  notes: [],
};
const speech = (testNetSpeechSeconds: number): { enrolNetSpeechSeconds: number; testNetSpeechSeconds: number } => ({
  enrolNetSpeechSeconds: 8,
  testNetSpeechSeconds,
});

void t.test('a cosine becomes a ratio by the line that was fitted', async (t) => {
  t.equal(toLlr(0.5, speech(1), valid), 3);
  t.equal(toLlr(-1, speech(1), valid), -27);
  near(t, toLlr(0.5, speech(Math.E), valid), 1, 1e-12);
});

void t.test('seconds beyond what the fit has seen count as its ends', async (t) => {
  t.equal(toLlr(0.5, speech(0), valid), toLlr(0.5, speech(1), valid), 'a tiny test buys no ratio');
  t.equal(toLlr(0.5, speech(60), valid), toLlr(0.5, speech(6), valid));
});

void t.test('what is no number gives none', async (t) => {
  t.ok(Number.isNaN(toLlr(NaN, speech(3), valid)));
  t.ok(Number.isNaN(toLlr(0.5, speech(NaN), valid)));
});

void t.test('a calibration of other weights, or of another model, is refused', async (t) => {
  t.same(parseCalibration(valid, model), valid);
  t.throws(() => parseCalibration(valid, { ...model, sha256: 'b'.repeat(64) }), {
    code: 'model_invalid',
    message: /was fitted for/,
  });
  t.throws(() => parseCalibration(valid, { ...model, id: 'other' }), { code: 'model_invalid' });
});

void t.test('what is no calibration is refused, naming the field', async (t) => {
  t.throws(() => parseCalibration({ ...valid, scale: -1 }, model), { code: 'model_invalid', message: /scale/ });
  t.throws(() => parseCalibration({ ...valid, scale: NaN }, model), { code: 'model_invalid', message: /scale/ });
  t.throws(() => parseCalibration({ ...valid, kind: 'quadratic' }, model), { code: 'model_invalid', message: /kind/ });
  t.throws(() => parseCalibration(null, model), { code: 'model_invalid' });
});

void t.test('a missing or broken file is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'voicegate-calibration-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'calibration.json');
  await t.rejects(loadCalibration(path, model), { code: 'model_invalid' });
  await writeFile(path, '{ "version": ');
  await t.rejects(loadCalibration(path, model), { code: 'model_invalid' });
  await writeFile(path, JSON.stringify(valid));
  t.same(await loadCalibration(path, model), valid);
});

void t.test('the calibration that is shipped belongs to the model that is shipped', async (t) => {
  const folder = join(modelsDir, 'baseline-8k-80');
  const card = JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')) as { id: string; sha256: string };
  const calibration = await loadCalibration(join(folder, 'calibration.json'), card);
  t.ok(
    calibration.fittedOn.every(({ source }) => !/ivr-digits|zh-digits/.test(source)),
    'evaluation lists fit nothing',
  );
});
