import t from 'tap';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asNorm, cohortStatistics } from '../../src/scoring/as-norm.js';
import { cosine, unit } from '../../src/scoring/cosine.js';
import {
  cohortFile,
  joinScorer,
  loadScorer,
  scoreVoice,
  voiceLlr,
  type Scorer,
  type VoiceComparison,
} from '../../src/scoring/score-voice.js';
import { calibration } from './calibrations.js';
import { cohortFileBytes, directions, madeCohort, model } from './cohorts.js';
import { near } from './seeded-scores.js';

const scorer = joinScorer(calibration, madeCohort(), model.id);
const plain: Scorer = { calibration: { ...calibration, normalisation: { kind: 'none' } }, cohort: null };
const [print = new Float32Array(8), other = new Float32Array(8)] = directions(2, model.dimension, 99);

/** The print against itself turned by an angle towards another voice. */
function turned(angle: number, seconds = 3, snrDb: number | null = 20): VoiceComparison {
  const across = other.map((x, i) => x - cosine(print, other) * (print[i] as number));
  const aside = unit(across);
  const vector = print.map((x, i) => Math.cos(angle) * x + Math.sin(angle) * (aside[i] as number));
  return { enrolment: { vector: print, netSpeechSeconds: 9 }, test: { vector, netSpeechSeconds: seconds, snrDb } };
}

void t.test('cosine, normalised score and LLR are each what its own formula says', async (t) => {
  const comparison = turned(0.6, 2);
  const { cosine: raw, normalised, llr } = scoreVoice(comparison, scorer);
  near(t, raw, Math.cos(0.6), 1e-6);
  const cohort = madeCohort();
  const sides = [comparison.enrolment.vector, comparison.test.vector].map((v) => cohortStatistics(v, cohort, 10));
  const [enrolment = { mean: 0, sd: 0 }, test = { mean: 0, sd: 0 }] = sides;
  near(t, normalised, asNorm(raw, enrolment, test), 1e-12);
  near(t, llr, 2 * normalised - 7 - 1.5 * Math.log(2), 1e-12);
});

void t.test('without a cohort the cosine is the score', async (t) => {
  const { cosine: raw, normalised, llr } = scoreVoice(turned(0.6, 2), plain);
  t.equal(normalised, raw);
  near(t, llr, 2 * raw - 7 - 1.5 * Math.log(2), 1e-12);
});

void t.test('the LLR rises with the score, whatever stood on either side', async (t) => {
  for (const seconds of [0.5, 1, 3, 8, 60]) {
    let last = -Infinity;
    for (let score = -10; score <= 30; score += 0.5) {
      const llr = voiceLlr(score, turned(0.1, seconds), calibration.voice);
      t.ok(llr > last);
      last = llr;
    }
  }
});

void t.test('without a cohort the LLR rises with the cosine', async (t) => {
  let last = Infinity;
  for (let angle = 0; angle < 3; angle += 0.1) {
    const { llr } = scoreVoice(turned(angle), plain);
    t.ok(llr < last);
    last = llr;
  }
});

void t.test('seconds beyond what the fit has seen count as its ends', async (t) => {
  const llrAt = (seconds: number): number => scoreVoice(turned(0.3, seconds), scorer).llr;
  t.equal(llrAt(0.1), llrAt(1), 'a tiny test buys no ratio');
  t.equal(llrAt(60), llrAt(6));
  t.not(llrAt(2), llrAt(3));
});

void t.test('each measure is weighed by its own formula', async (t) => {
  const weighed = (name: 'ln-enrol-seconds' | 'test-snr-db', comparison: VoiceComparison): number =>
    voiceLlr(0, comparison, { scale: 1, offset: 0, measures: [{ name, weight: 1, least: -50, most: 50 }] });
  near(t, weighed('ln-enrol-seconds', turned(0)), Math.log(9), 1e-12);
  t.equal(weighed('test-snr-db', turned(0, 3, 12)), 12);
  t.equal(weighed('test-snr-db', turned(0, 3, null)), 30, 'no pause to measure noise in counts as clean');
});

void t.test('what is no number gives none', async (t) => {
  t.ok(Number.isNaN(scoreVoice(turned(0.3, NaN), scorer).llr));
  t.ok(Number.isNaN(scoreVoice(turned(0.3, NaN), plain).llr));
  t.ok(Number.isNaN(voiceLlr(NaN, turned(0), calibration.voice)));
});

void t.test('vectors of another dimension are refused', async (t) => {
  const short = { ...turned(0), test: { vector: new Float32Array(4), netSpeechSeconds: 3, snrDb: null } };
  t.throws(() => scoreVoice(short, scorer), RangeError);
});

void t.test('a calibration and a cohort that were not made together are refused', async (t) => {
  const refused = (message: RegExp): { code: string; message: RegExp } => ({ code: 'model_invalid', message });
  t.throws(() => joinScorer(calibration, madeCohort(21), model.id), refused(/was fitted with cohort/));
  const greedy = { ...calibration, normalisation: { ...calibration.normalisation, topN: 21 } } as typeof calibration;
  t.throws(() => joinScorer(greedy, madeCohort(), model.id), refused(/the top 21 of a cohort of 20/));
  t.throws(() => joinScorer(plain.calibration, madeCohort(), model.id), refused(/normalises nothing/));
});

void t.test('a model folder is loaded whole, or refused for the part that does not fit', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'voicegate-scorer-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const write = (value: object): Promise<void> => writeFile(join(folder, 'calibration.json'), JSON.stringify(value));
  await write(calibration);
  await t.rejects(loadScorer(folder, model), { code: 'model_invalid', message: /cohort of some-model cannot be read/ });
  await writeFile(join(folder, cohortFile), cohortFileBytes());
  t.same(await loadScorer(folder, model), scorer);
  await t.rejects(loadScorer(folder, { ...model, sha256: 'b'.repeat(64) }), { code: 'model_invalid' });
  await write(plain.calibration);
  t.same(await loadScorer(folder, model), plain, 'the cohort of another calibration is not looked at');
});
