import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEars } from './calibration/ears.js';
import {
  adopted,
  candidates,
  crossValidate,
  fitLists,
  foldCount,
  llrOf,
  nontargetMoments,
  secondsRange,
} from './calibration/fit.js';
import { reportRates, reportSelfConsistency } from './calibration/report.js';
import { scoreList, type Ear, type ScoredList } from './calibration/scored-trials.js';
import { devList, evaluationLists, openDevLists, trainingLists, type TrialList } from './calibration/speech-lists.js';
import { throughTelephone } from './calibration/telephone.js';
import { defaultPolicy } from '../src/decision/policy.js';
import { modelsDir, rootDir } from '../src/paths.js';
import { parseCalibration, type Calibration } from '../src/scoring/calibration.js';

/**
 * Fits and reports the calibration of a speaker model: `node dist/bench/calibrate.js [--write]` after a build.
 * Fitted on trials of training speakers that the model has not seen and on the openly licensed dev lists, each as it is and through
 * a simulated telephone; the evaluation lists are reported and fit nothing. With --write the result goes to the model's folder.
 */
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'baseline-8k-80' },
    activity: { type: 'string', default: 'activity-8k' },
    speech: { type: 'string', default: process.env.VOICEGATE_SPEECH_DIR ?? join(rootDir, '..', 'shared', 'speech') },
    /** Training speakers that the model was not trained on: how their ids begin, or a file with one id a line. */
    unseen: { type: 'string', default: 'ex' },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    write: { type: 'boolean', default: false },
  },
});

const opened = await openEars(options.model, options.activity);
const { ears, card } = opened;
const ear: Ear = async (samples) => {
  const heard = await ears.hear({ samples, sampleRateHz: card.frontEnd.sampleRateHz }, { hears: 'caller' });
  return { vector: heard.embedding?.vector ?? null, netSpeechSeconds: heard.report.netSpeechSeconds };
};

const fitting = await scoredBothWays([
  ...(await trainingLists(options.speech, await unseenSpeakers(options.unseen))),
  ...(await inTurn(openDevLists, (name) => devList(options.speech, name))),
]);
const evaluation = await scoredBothWays(await inTurn(evaluationLists, (name) => devList(options.speech, name)));
await opened.close();

console.log('\n## Candidates, cross-validated over speakers\n');
for (const [name, features] of Object.entries(candidates)) {
  const { cllr, minCllr, eer } = crossValidate(fitting, features);
  console.log(`${name}: Cllr ${cllr.toFixed(4)}, min Cllr ${minCllr.toFixed(4)}, EER ${(100 * eer).toFixed(2)} %`);
}

const fit = fitLists(fitting, adopted);
const llr = llrOf(fit, adopted);
const calibration: Calibration = parseCalibration(
  {
    version: `${options.date}.1`,
    modelId: card.id,
    modelSha256: card.sha256,
    kind: 'cosine-and-test-seconds',
    scale: fit.weights[0],
    offset: fit.offset,
    secondsWeight: fit.weights[1],
    ...secondsRange,
    nontarget: nontargetMoments(fitting, llr),
    fittedOn: fitting.map(({ source, condition, trials }) => ({
      source,
      condition,
      speakers: new Set(trials.flatMap((trial) => [trial.modelSpeaker, trial.testSpeaker])).size,
      targets: trials.filter((trial) => trial.isTarget).length,
      nontargets: trials.filter((trial) => !trial.isTarget).length,
    })),
    crossValidation: { folds: foldCount, ...crossValidate(fitting, adopted) },
    date: options.date,
    command: `node dist/bench/calibrate.js --model ${options.model} --unseen ${options.unseen} --write`,
    notes: [
      'Enrolment and test of nearly every speaker are of one session: real calls of other days score lower.',
      'Different speakers are compared within a corpus and language, of both sexes mixed.',
      'The telephone is simulated: 300 to 3400 Hz and G.711, no line noise, echo or lost packets.',
    ],
  },
  { id: card.id, sha256: card.sha256 },
);

const { tiers } = defaultPolicy;
const thresholds = {
  reject: tiers.rejectBelowLlr,
  low: tiers.low.minVoiceLlr,
  standard: tiers.standard.minVoiceLlr,
  high: tiers.high.minFusedLlr,
};
console.log(
  `\n## llr = ${calibration.scale.toFixed(3)} · cosine + ${calibration.offset.toFixed(3)} + ${calibration.secondsWeight.toFixed(3)} · ln(seconds)`,
);
console.log(`different speakers: ${JSON.stringify(calibration.nontarget)}`);
console.log('\n## Rates in percent, FNMR / FMR at the default thresholds (voice alone)\n');
const all = [...fitting, ...evaluation];
const dev = all.filter(({ source }) => source.startsWith('dev/'));
console.log(reportRates([...all, pooled(dev, 'plain'), pooled(dev, 'telephone')], llr, thresholds).join('\n'));
console.log('\n## Self-consistency: one voice refused / a second voice caught, percent\n');
const cosines = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35];
for (const lists of [all.filter((list) => !dev.includes(list)), dev, evaluation]) {
  console.log(`${reportSelfConsistency(lists, cosines).join('\n')}\n`);
}

if (options.write) {
  const path = join(modelsDir, card.id, 'calibration.json');
  await writeFile(path, `${JSON.stringify(calibration, null, 2)}\n`);
  console.log(`\nwritten: models/${card.id}/calibration.json`);
}

async function scoredBothWays(lists: readonly TrialList[]): Promise<ScoredList[]> {
  const scored: ScoredList[] = [];
  for (const list of lists) {
    console.error(`scoring ${list.source}`);
    scored.push(await scoreList(list, 'plain', (samples) => samples, ear));
    const lawOf = (index: number): 'mulaw' | 'alaw' => (index % 2 === 0 ? 'alaw' : 'mulaw');
    scored.push(await scoreList(list, 'telephone', (samples, index) => throughTelephone(samples, lawOf(index)), ear));
  }
  return scored;
}

function pooled(lists: readonly ScoredList[], condition: string): ScoredList {
  const parts = lists.filter((list) => list.condition === condition);
  return {
    source: 'dev pooled',
    condition,
    trials: parts.flatMap((list) => list.trials),
    unheard: parts.reduce((sum, list) => sum + list.unheard, 0),
    enrolments: [],
  };
}

async function unseenSpeakers(wanted: string): Promise<(speaker: string) => boolean> {
  if (!existsSync(wanted)) return (speaker) => speaker.startsWith(wanted);
  const ids = new Set(
    (await readFile(wanted, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#')),
  );
  return (speaker) => ids.has(speaker);
}

async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await work(value));
  return results;
}
