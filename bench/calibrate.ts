import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { attemptsOf, fitFusionOn, judgedGroups, reportFusion } from './calibration/fuse-lists.js';
import { openHearing } from './calibration/hearing.js';
import {
  candidates,
  reportCandidates,
  reportDurations,
  reportRates,
  reportSelfConsistency,
} from './calibration/report.js';
import { evaluationPhraseLists, openPhraseLists, phraseLlrs } from './calibration/phrase-llrs.js';
import { scoreList, type Embedded, type ScoredList } from './calibration/scored-lists.js';
import { preparedLists, type PreparedLists } from './calibration/prepared-lists.js';
import type { PreparedList } from './calibration/prepared.js';
import { defaultModelId, readConfig } from '../src/config.js';
import { defaultPolicy } from '../src/decision/policy.js';
import { loadModelCard } from '../src/embedding/model-card.js';
import { resolveModelDir } from '../src/embedding/model-folders.js';
import { rootDir } from '../src/paths.js';
import { parseCalibration, type Calibration } from '../src/scoring/calibration.js';
import { cohortBytes, parseCohort } from '../src/scoring/cohort.js';
import { crossValidate, fitVoice, llrsOf, nontargetMoments } from '../src/scoring/fit-voice.js';
import { cohortFile, voiceLlr } from '../src/scoring/score-voice.js';

/**
 * Makes a speaker model's cohort and fits its calibration: `node dist/bench/calibrate.js --model ID --cache DIR [--write]` after a build.
 * Fitted on trials of training speakers that the model has not seen and on openly licensed dev lists; the evaluation lists are reported and
 * fit nothing. With --write the results go to the model's folder, both or neither.
 */
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: defaultModelId },
    speech: { type: 'string', default: process.env.VOICEGATE_SPEECH_DIR ?? join(rootDir, '..', 'shared', 'speech') },
    /** Training speakers that the model was not trained on: how their ids begin, or a file with one id a line. */
    unseen: { type: 'string', default: join(rootDir, 'models', 'training', 'heldout-speakers.txt') },
    /** What the ears keep of each recording is kept here: 300 MB that serve every further model. */
    cache: { type: 'string' },
    cohort: { type: 'string', default: '800' },
    top: { type: 'string', default: '200' },
    workers: { type: 'string', default: String(availableParallelism()) },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    write: { type: 'boolean', default: false },
  },
});

const dir = resolveModelDir(options.model, readConfig().installedModelsDir);
const card = await loadModelCard(dir);
const hearing = await openHearing(card, dir, Number(options.workers));
const cacheDir = options.cache ?? (await mkdtemp(join(tmpdir(), 'voicegate-calibrate-')));
const cache = join(cacheDir, basename(options.unseen));
const lists: PreparedLists = await preparedLists({
  speechDir: options.speech,
  isUnseen: await unseenSpeakers(options.unseen),
  cohortSize: Number(options.cohort),
  cache,
  detect: hearing.detect,
});
const embedded = new Map<PreparedList, Embedded>();
for (const list of [...lists.cohort, ...lists.fitting, ...lists.evaluation]) {
  console.error(`embedding ${list.source}, ${list.condition}: ${list.pieces.length} recordings`);
  embedded.set(
    list,
    await hearing.embed(
      list,
      join(cache, card.sha256.slice(0, 12), `${list.source} ${list.condition}${cohortPart(list)}`.replaceAll('/', '-')),
    ),
  );
}
await hearing.close();

const bytes = cohortBytes(
  lists.cohort.flatMap((list) =>
    list.pieces.flatMap(({ id, speaker }) => {
      const vector = embedded.get(list)?.get(id);
      return vector === undefined ? [] : [{ speaker, vector }];
    }),
  ),
  card,
);
const cohort = parseCohort(bytes, card);
const topN = Number(options.top);
const scored = (of: readonly PreparedList[], top: number | null): ScoredList[] =>
  of.map((list) => scoreList(list, embedded.get(list) ?? new Map(), top === null ? null : { cohort, topN: top }));

console.log(`\n## Candidates for ${card.id}, cross-validated over speakers; cohort of ${cohort.size}\n`);
console.log(reportCandidates((top) => scored(lists.fitting, top), [null, 50, 100, 200, 400], topN).join('\n'));

const fitting = scored(lists.fitting, topN);
const evaluation = scored(lists.evaluation, topN);
const voice = fitVoice(fitting, candidates['test seconds']);
const phrases = await phraseLlrs(options.speech, openPhraseLists);
const phraseRange = phrases.recordings.flatMap(({ right, wrong }) => [right, ...wrong]);
const heldPhrase = {
  leastPhraseLlr: Math.min(...phraseRange),
  mostPhraseLlr: Math.max(...phraseRange),
  // As if every second impostor knew the PIN: nobody has counted them.
  rightPinLlr: Math.LN2,
};
const calibrationPath = join(dir, 'calibration.json');
const before = existsSync(calibrationPath)
  ? (JSON.parse(await readFile(calibrationPath, 'utf8')) as Calibration)
  : null;
const judged = judgedGroups(fitting, candidates['test seconds']);
const fusion = fitFusionOn(judged, phrases.recordings, heldPhrase);
const calibration: Calibration = parseCalibration(
  {
    version: nextVersion(),
    modelId: card.id,
    modelSha256: card.sha256,
    normalisation: { kind: 'as-norm', cohortSha256: cohort.sha256, topN },
    voice,
    fusion: { ...fusion.line, recogniserId: phrases.recogniserId, crossValidation: { cllr: fusion.cllr } },
    nontarget: nontargetMoments(fitting, voice),
    ...measuredTail(),
    fittedOn: fitting.map(({ source, condition, trials }) => ({
      source,
      condition,
      speakers: new Set(trials.flatMap((trial) => [trial.modelSpeaker, trial.testSpeaker])).size,
      targets: trials.filter((trial) => trial.isTarget).length,
      nontargets: trials.filter((trial) => !trial.isTarget).length,
    })),
    crossValidation: crossValidate(fitting, candidates['test seconds']),
    date: options.date,
    command: `node dist/bench/calibrate.js --model ${card.id} --cohort ${options.cohort} --top ${topN} --write`,
    notes: [
      'Enrolment and test of nearly every speaker are of one session: real calls of other days score lower.',
      'Different speakers are compared within a corpus and language, of both sexes mixed.',
      'The telephone is simulated: 300 to 3400 Hz and G.711, no line noise, echo or lost packets.',
    ],
  },
  card,
);
const llr = (trial: ScoredList['trials'][number]): number => voiceLlr(trial.score, trial.speech, voice);
console.log(`\n## ${JSON.stringify(calibration.voice)}, different speakers ${JSON.stringify(calibration.nontarget)}`);
const { tiers } = defaultPolicy;
console.log('\n## Rates in percent, FNMR / FMR at the default thresholds (voice alone)\n');
const thresholds = [tiers.rejectBelowLlr, tiers.low.minVoiceLlr, tiers.standard.minVoiceLlr, tiers.high.minFusedLlr];
console.log(reportRates([...fitting, ...evaluation], llr, thresholds).join('\n'));
console.log(
  '\n## By utterances enrolled and net speech tested, held-out speakers: EER in percent / Cllr / least Cllr\n',
);
console.log(
  reportDurations(
    fitting.filter(({ source }) => source.startsWith('train/')),
    llr,
  ).join('\n'),
);
console.log(
  `\n## Fusion ${JSON.stringify(calibration.fusion)}; over the folds the soft minimum costs ${fusion.softMinimumCllr.toFixed(4)}\n`,
);
console.log(reportFusion(attemptsOf(judged, phrases.recordings), fusion.line, [0.02, 0.05, 0.1]).join('\n'));
const mandarin = await phraseLlrs(options.speech, evaluationPhraseLists);
const zhDigits = evaluation
  .filter(({ source }) => source === 'dev/zh-digits')
  .map(({ trials }) => llrsOf(trials, () => voice))
  .map((llrs) => ({ ...llrs, targetFolds: llrs.targets.map(() => 0), nontargetFolds: llrs.nontargets.map(() => 0) }));
console.log('\nVoices of zh-digits, phrases of the three Mandarin lists (evaluation only):\n');
console.log(reportFusion(attemptsOf(zhDigits, mandarin.recordings), fusion.line, [0.02, 0.05, 0.1]).join('\n'));
console.log('\n## Self-consistency: one voice refused / a second voice caught, percent\n');
console.log(reportSelfConsistency([...fitting, ...evaluation], [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]).join('\n'));

if (options.write) {
  await writeFile(join(dir, cohortFile), bytes);
  await writeFile(join(dir, 'calibration.json'), `${JSON.stringify(calibration, null, 2)}\n`);
  console.log(`\nwritten: ${cohortFile} (${bytes.length} bytes) and calibration.json of ${card.id}`);
}

/** The day and a number: two fits of one day do not share a name. */
function nextVersion(): string {
  const [day, number] = before?.version.split('.') ?? [];
  return `${options.date}.${day === options.date ? Number(number) + 1 : 1}`;
}

/** The tail of LLRs that bench/duplicates measured, where weights, cohort and voice line come out as they were; else it is another tail. */
function measuredTail(): Pick<Calibration, 'printTail'> {
  const isSame =
    before?.normalisation?.kind === 'as-norm' &&
    before.normalisation.cohortSha256 === cohort.sha256 &&
    before.normalisation.topN === topN &&
    isDeepStrictEqual(before.voice, voice);
  if (isSame && before.printTail !== undefined) return { printTail: before.printTail };
  console.error('no tail of strangers’ prints for this fit: node dist/bench/duplicates.js --write measures it');
  return {};
}

/** Cohorts of different sizes are different lists. */
function cohortPart(list: PreparedList): string {
  return lists.cohort.includes(list) ? ` of ${options.cohort}` : '';
}

async function unseenSpeakers(wanted: string): Promise<(speaker: string) => boolean> {
  if (!existsSync(wanted)) return (speaker) => speaker.startsWith(wanted);
  const ids = new Set(
    (await readFile(wanted, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#')),
  );
  return (speaker) => ids.has(speaker);
}
