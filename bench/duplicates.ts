import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEars } from '../src/cli/open-ears.js';
import { defaultModelId, readConfig } from '../src/config.js';
import { loadModelCard } from '../src/embedding/model-card.js';
import { resolveModelDir } from '../src/embedding/model-folders.js';
import { rootDir } from '../src/paths.js';
import type { Calibration } from '../src/scoring/calibration.js';
import { loadScorer, scoreVoice, type Scorer } from '../src/scoring/score-voice.js';
import { duplicateThresholdLlr } from '../src/service/duplicates.js';
import { fitTail } from '../src/tuning/tail.js';
import { throughTelephone } from '../src/tuning/telephone.js';
import { seededRandom } from './activity-noise.js';
import { decodeFile, readTable, type Row } from './calibration/decode-file.js';
import { joined } from './calibration/tape.js';

/**
 * What a search for one voice among many prints finds, and what it finds by mistake: `node dist/bench/duplicates.js --prints FILE [--write]` after a build.
 * Voices that no training step saw are searched for, by a second print of theirs, among their own first prints and those of other speakers; all through a
 * simulated telephone. With --write the tail of different speakers' LLRs goes into the model's calibration.
 */
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: defaultModelId },
    speech: { type: 'string', default: process.env.VOICEGATE_SPEECH_DIR ?? join(rootDir, '..', 'shared', 'speech') },
    /** Prints are kept here: making them takes minutes. */
    prints: { type: 'string', default: 'prints.json' },
    /** Speakers that are only searched among. */
    others: { type: 'string', default: '850' },
    write: { type: 'boolean', default: false },
  },
});

/** Recorded speech of a print with its pauses, seconds: three strings of digits or so. */
const printSeconds = 14;
/** Least that a speaker must have, who is searched for and who is only searched among. */
const leastSeconds = { searched: 10, among: 8 };
/** Share of the comparisons that is taken for the tail: with more the fit is of the middle, and the budgets are not kept. */
const tailShare = 0.01;

interface Print {
  readonly speaker: string;
  /** The first is searched among, the second searched for. */
  readonly half: 0 | 1;
  readonly netSpeechSeconds: number;
  readonly vector: readonly number[];
}

const dir = resolveModelDir(options.model, readConfig().installedModelsDir);
const scorer = await loadScorer(dir, await loadModelCard(dir));
const prints = existsSync(options.prints)
  ? (JSON.parse(await readFile(options.prints, 'utf8')) as Print[])
  : await makePrints();
const among = prints.filter(({ half }) => half === 0).map(voiceOf);
const searches = prints.filter(({ half }) => half === 1).map((print) => searchFor(voiceOf(print), scorer));
const command = 'node dist/bench/duplicates.js';
console.log(`${searches.length} searches among ${among.length} prints`);
for (const part of [0, 1]) {
  const fitted = searches.filter((_, index) => index % 2 === part);
  report(
    `fitted on half of the searches, held against the other half (${part + 1})`,
    tailOf(fitted),
    searches.filter((_, index) => index % 2 !== part),
  );
}
const tail = tailOf(searches);
report('fitted on all', tail, searches);
for (const size of [1e3, 1e4, 1e5, 1e6]) {
  const found = [0.1, 0.01, 0.001].map((budget) => {
    const threshold = duplicateThresholdLlr(size, budget, tail, -Infinity);
    const own = searches.flatMap((search) => (search.own === null ? [] : [search.own]));
    return `${budget}: LLR ${threshold.toFixed(1)} finds ${((100 * own.filter((llr) => llr >= threshold).length) / own.length).toFixed(0)} %`;
  });
  console.log(`among ${size} prints, by budget: ${found.join('; ')}`);
}
console.log(JSON.stringify(tail));
if (options.write) {
  const path = join(dir, 'calibration.json');
  const calibration = JSON.parse(await readFile(path, 'utf8')) as Calibration;
  await writeFile(path, `${JSON.stringify({ ...calibration, printTail: tail }, null, 2)}\n`);
}

interface Search {
  /** LLR against the first print of the same voice; null when there is none. */
  readonly own: number | null;
  readonly others: readonly number[];
}

function searchFor(voice: ReturnType<typeof voiceOf>, by: Scorer): Search {
  const llrs = among.map((enrolment) => ({
    isOwn: enrolment.speaker === voice.speaker,
    llr: scoreVoice({ enrolment, test: { ...voice, snrDb: null } }, by).llr,
  }));
  return {
    own: llrs.find(({ isOwn }) => isOwn)?.llr ?? null,
    others: llrs.filter(({ isOwn }) => !isOwn).map(({ llr }) => llr),
  };
}

function voiceOf({ speaker, netSpeechSeconds, vector }: Print) {
  return { speaker, netSpeechSeconds, vector: Float32Array.from(vector) };
}

function tailOf(fitted: readonly Search[]): NonNullable<Calibration['printTail']> {
  const found = fitTail(
    fitted.flatMap(({ others }) => others),
    tailShare,
  );
  if (found === null) throw new RangeError('too few comparisons to fit their tail');
  return { ...found, searches: fitted.length, prints: among.length, command };
}

function report(title: string, by: NonNullable<Calibration['printTail']>, held: readonly Search[]): void {
  console.log(`${title}: level ${by.level.toFixed(2)}, shape ${by.shape.toFixed(3)}, scale ${by.scale.toFixed(3)}`);
  for (const budget of [0.1, 0.03, 0.01, 0.003, 0.001]) {
    const threshold = duplicateThresholdLlr(among.length, budget, by, -Infinity);
    const alarms = held.filter(({ others }) => others.some((llr) => llr >= threshold)).length;
    const own = held.filter((search) => search.own !== null);
    const found = own.filter((search) => (search.own as number) >= threshold).length;
    console.log(
      `  budget ${budget}: LLR ${threshold.toFixed(2)}, false alarms ${alarms} of ${held.length}, found ${found} of ${own.length}`,
    );
  }
}

async function makePrints(): Promise<Print[]> {
  const unseenFile = join(rootDir, 'models', 'training', 'heldout-speakers.txt');
  const unseen = new Set((await readFile(unseenFile, 'utf8')).split('\n').filter((line) => !line.startsWith('#')));
  const speakers = new Map<string, Row[]>();
  for (const row of await readTable(join(options.speech, 'train.tsv'))) {
    const { speaker = '' } = row;
    speakers.set(speaker, [...(speakers.get(speaker) ?? []), row]);
  }
  const secondsOf = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + Number(row.samples) / 8000, 0);
  const random = seededRandom(7);
  const enough = [...speakers].filter(
    ([speaker, rows]) => secondsOf(rows) >= (unseen.has(speaker) ? leastSeconds.searched : leastSeconds.among),
  );
  const others = enough
    .filter(([speaker]) => !unseen.has(speaker))
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, Number(options.others));
  const ears = await openEars(readConfig(), options.model, 'digits-8k', 'kept');
  const made: Print[] = [];
  for (const [speaker, rows] of [...enough.filter(([name]) => unseen.has(name)), ...others.map(({ one }) => one)]) {
    const whole = await decodeFile(join(options.speech, rows[0]?.file ?? ''));
    const most = unseen.has(speaker) ? Math.min(printSeconds, secondsOf(rows) / 2) : printSeconds;
    const waiting = [...rows];
    for (const half of unseen.has(speaker) ? ([0, 1] as const) : ([0] as const)) {
      const parts: Float32Array[] = [];
      for (let seconds = 0; seconds < most;) {
        const row = waiting.shift();
        if (row === undefined) break;
        const start = Number(row.start_sample);
        parts.push(whole.subarray(start, start + Number(row.samples)));
        seconds += Number(row.samples) / 8000;
      }
      if (parts.length === 0) continue;
      const samples = throughTelephone(joined(parts), 'mulaw');
      const { vector, netSpeechSeconds } = await ears.hear({ samples, sampleRateHz: 8000 });
      if (vector !== null) made.push({ speaker, half, netSpeechSeconds, vector: [...vector] });
    }
  }
  await ears.close();
  await writeFile(options.prints, JSON.stringify(made));
  return made;
}
