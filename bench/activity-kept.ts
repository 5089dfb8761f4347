import type { KeepRules } from '../src/audio/kept-speech.js';
import type { SpeechActivityDetector } from '../src/audio/speech-activity.js';
import { cosine, weightedMean } from '../src/scoring/cosine.js';
import { equalErrorRate, minDcf, type Trials } from '../src/scoring/error-rates.js';
import { openEars } from './activity.js';
import { speakerLists } from './activity-files.js';
import { keptOrWhole, openSpeakerLists, sampleRateHz, type OpenList } from './activity-lists.js';
import { seededRandom } from './activity-noise.js';

/** How well voices are told apart when the network hears this much of each file. */
export interface KeptSpeechResult {
  readonly name: string;
  readonly pooledEerPercent: number;
  readonly pooledMinDcf: number;
  readonly eerPercentByList: Readonly<Record<string, number>>;
  /** Heard in all, seconds. */
  readonly seconds: number;
}

const variants: readonly { readonly name: string; readonly rules: KeepRules | null; readonly waits?: true }[] = [
  { name: 'whole files', rules: null },
  { name: 'margins 0.1 s, pauses to 0.3 s', rules: { marginSeconds: 0.1, longestPauseSeconds: 0.3 } },
  { name: 'margins 0.5 s, pauses to 0.3 s', rules: { marginSeconds: 0.5, longestPauseSeconds: 0.3 } },
  { name: 'margins 0.5 s, pauses to 0.5 s', rules: { marginSeconds: 0.5, longestPauseSeconds: 0.5 } },
  { name: 'margins 1 s, pauses to 1 s', rules: { marginSeconds: 1, longestPauseSeconds: 1 } },
  { name: 'whole files, waits', rules: null, waits: true },
  { name: 'margins 0.5 s, to 0.5 s, waits', rules: { marginSeconds: 0.5, longestPauseSeconds: 0.5 }, waits: true },
  { name: 'margins 1 s, to 1 s, waits', rules: { marginSeconds: 1, longestPauseSeconds: 1 }, waits: true },
];
const waitSeconds = 4;
const waitBelowSpeechDb = 40;

/**
 * Cosine error rates on the seven speaker lists, whole files beside kept speech. An enrolment is the mean of its unit embeddings.
 * `waits`: 4 s of white noise, 40 dB below the recording, before and after each tested file: a caller who is slow to begin.
 */
export async function benchKeptSpeech(
  speechDir: string,
  print: (line: string) => void = console.log,
): Promise<KeptSpeechResult[]> {
  const { pool, detector, embedder } = await openEars(1);
  try {
    const lists = await openSpeakerLists(speechDir, detector);
    const results: KeptSpeechResult[] = [];
    print(['heard'.padEnd(36), 'EER %', 'minDCF', 'seconds', ...speakerLists].join('  '));
    const waiting = await withWaits(lists, detector);
    for (const { name, rules, waits } of variants) {
      let seconds = 0;
      const all = { targets: [] as number[], nontargets: [] as number[] };
      const eerPercentByList: Record<string, number> = {};
      for (const list of waits === true ? waiting : lists) {
        const vectors = new Map<string, Float32Array>();
        for (const { file, activity } of list.heard) {
          const kept = rules === null ? file.samples : keptOrWhole(file, activity, rules);
          seconds += kept.length / sampleRateHz;
          vectors.set(file.name, (await embedder.embed(kept, 0)).vector);
        }
        const scores = scoresOf(list, vectors);
        eerPercentByList[list.name] = 100 * equalErrorRate(scores);
        all.targets.push(...scores.targets);
        all.nontargets.push(...scores.nontargets);
      }
      const result = {
        name,
        pooledEerPercent: 100 * equalErrorRate(all),
        pooledMinDcf: minDcf(all, 0.01),
        eerPercentByList,
        seconds,
      };
      results.push(result);
      const figures = [
        result.pooledEerPercent.toFixed(2),
        result.pooledMinDcf.toFixed(3),
        seconds.toFixed(0).padStart(7),
      ];
      const byList = speakerLists.map((list) => (eerPercentByList[list] ?? NaN).toFixed(2).padStart(list.length));
      print([name.padEnd(36), ...figures, ...byList].join('  '));
    }
    return results;
  } finally {
    await pool.close();
  }
}

async function withWaits(lists: readonly OpenList[], detector: SpeechActivityDetector): Promise<OpenList[]> {
  const random = seededRandom(4);
  const waiting: OpenList[] = [];
  for (const list of lists) {
    const tested = new Set(list.trials.map((trial) => trial.test));
    const heard = [];
    for (const { file, activity } of list.heard) {
      if (!tested.has(file.name)) {
        heard.push({ file, activity });
        continue;
      }
      const samples = new Float32Array(file.samples.length + 2 * waitSeconds * sampleRateHz);
      const power = file.samples.reduce((sum, x) => sum + x * x, 0) / file.samples.length;
      // Evenly distributed values between −1 and 1 have the power 1/3.
      const peak = Math.sqrt(3 * power) * 10 ** (-waitBelowSpeechDb / 20);
      for (let n = 0; n < samples.length; n++) samples[n] = peak * (2 * random() - 1);
      samples.set(file.samples, waitSeconds * sampleRateHz);
      heard.push({ file: { ...file, samples }, activity: await detector.detect({ samples, sampleRateHz }) });
    }
    waiting.push({ ...list, heard });
  }
  return waiting;
}

function scoresOf(list: OpenList, vectors: ReadonlyMap<string, Float32Array>): Trials {
  const models = new Map(
    [...list.models].map(([model, files]) => {
      const own = files.flatMap((file) => vectors.get(file) ?? []);
      const weights = own.map(() => 1);
      return [model, weightedMean(own, weights)];
    }),
  );
  const targets: number[] = [];
  const nontargets: number[] = [];
  for (const { model, test, isTarget } of list.trials) {
    const [print, vector] = [models.get(model), vectors.get(test)];
    if (print === undefined || vector === undefined) throw new Error(`${list.name}: no file for ${model} or ${test}`);
    (isTarget ? targets : nontargets).push(cosine(print, vector));
  }
  return { targets, nontargets };
}
