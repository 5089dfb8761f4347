import { join } from 'node:path';
import {
  defaultKeepRules,
  defaultWindowRules,
  keptSpeech,
  voiceWindows,
  type KeepRules,
  type WindowRules,
} from '../src/audio/kept-speech.js';
import type { SpeechActivityDetector } from '../src/audio/speech-activity.js';
import type { SpeechActivity } from '../src/audio/waveform.js';
import type { Embedder } from '../src/embedding/embedder.js';
import { cosine, weightedMean } from '../src/scoring/cosine.js';
import { equalErrorRate, minDcf, type Trials } from '../src/scoring/error-rates.js';
import { openEars } from './activity.js';
import { devFiles, speakerLists, tableOf, type DevFile } from './activity-files.js';
import { seededRandom } from './activity-noise.js';

const sampleRateHz = 8000;

/** How well voices are told apart when the network hears this much of each file. */
export interface KeptSpeechResult {
  readonly name: string;
  readonly pooledEerPercent: number;
  readonly pooledMinDcf: number;
  readonly eerPercentByList: Readonly<Record<string, number>>;
  /** Heard in all, seconds. */
  readonly seconds: number;
}

const keepVariants: readonly (readonly [name: string, rules: KeepRules | null])[] = [
  ['whole files', null],
  ['margins 0.1 s, pauses as they are', { marginSeconds: 0.1, longestPauseSeconds: Infinity }],
  ['margins 0.1 s, pauses to 0.3 s', { marginSeconds: 0.1, longestPauseSeconds: 0.3 }],
  ['margins 0.5 s, pauses to 0.3 s', { marginSeconds: 0.5, longestPauseSeconds: 0.3 }],
  ['margins 0.5 s, pauses to 0.5 s', { marginSeconds: 0.5, longestPauseSeconds: 0.5 }],
  ['margins 0.5 s, pauses to 1 s', { marginSeconds: 0.5, longestPauseSeconds: 1 }],
];

/** Cosine error rates on the seven speaker lists, whole files beside kept speech. An enrolment is the mean of its unit embeddings. */
export async function benchKeptSpeech(
  speechDir: string,
  print: (line: string) => void = console.log,
): Promise<KeptSpeechResult[]> {
  const { pool, detector, embedder } = await openEars(1);
  try {
    const lists = await Promise.all(speakerLists.map((list) => openList(speechDir, list, detector)));
    const results: KeptSpeechResult[] = [];
    print(['heard'.padEnd(36), 'EER %', 'minDCF', 'seconds', ...speakerLists].join('  '));
    for (const [name, rules] of keepVariants) {
      let seconds = 0;
      const all = { targets: [] as number[], nontargets: [] as number[] };
      const eerPercentByList: Record<string, number> = {};
      for (const list of lists) {
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

/** What the smallest cosine between windows tells of second voices. */
export interface WindowResult {
  readonly rules: WindowRules;
  /** Real recordings of one speaker that are long enough for two windows. */
  readonly singleVoiceFiles: number;
  /** Largest threshold with at most `falseAlarmShare` of them below it. */
  readonly threshold: number;
  readonly falseAlarmShare: number;
  /** Share of made two-voice recordings found. */
  readonly found: Readonly<Record<TwoVoices, number>>;
}

/** Half of one and half of another speaker's; one over the other at the same level, or 6 dB louder. */
export type TwoVoices = 'half and half' | 'overlap 0 dB' | 'overlap 6 dB';
const twoVoices: readonly TwoVoices[] = ['half and half', 'overlap 0 dB', 'overlap 6 dB'];

/** Real files of 3 s kept speech and more, and pairs of them from different speakers of one list, for several ways of cutting windows. */
export async function benchVoiceWindows(
  speechDir: string,
  print: (line: string) => void = console.log,
): Promise<WindowResult[]> {
  const { pool, detector, embedder } = await openEars(1);
  try {
    const single: Float32Array[] = [];
    const mixed: Record<TwoVoices, Float32Array[]> = { 'half and half': [], 'overlap 0 dB': [], 'overlap 6 dB': [] };
    const random = seededRandom(7);
    for (const list of await Promise.all(speakerLists.map((name) => openList(speechDir, name, detector)))) {
      const long = list.heard
        .map(({ file, activity }) => ({ speaker: file.speaker, kept: keptOrWhole(file, activity, defaultKeepRules) }))
        .filter(({ kept }) => kept.length >= 3 * sampleRateHz);
      for (const { speaker, kept } of long) {
        single.push(kept);
        const others = long.filter((other) => other.speaker !== speaker);
        const other = others[Math.floor(random() * others.length)]?.kept;
        if (other === undefined) continue;
        mixed['half and half'].push(halves(kept, other));
        mixed['overlap 0 dB'].push(overlap(kept, other, 0));
        mixed['overlap 6 dB'].push(overlap(kept, other, -6));
      }
    }
    const results: WindowResult[] = [];
    for (const rules of [
      defaultWindowRules,
      { leastSeconds: 2, mostWindows: 2 },
      { leastSeconds: 1.5, mostWindows: 4 },
      { leastSeconds: 2, mostWindows: 4 },
    ]) {
      const alone = await leastCosines(single, rules, embedder);
      const sorted = [...alone].sort((a, b) => a - b);
      const found = { 'half and half': 0, 'overlap 0 dB': 0, 'overlap 6 dB': 0 };
      const made = { ...mixed };
      const cosines = new Map<TwoVoices, number[]>();
      for (const kind of twoVoices) cosines.set(kind, await leastCosines(made[kind], rules, embedder));
      for (const share of [0.01, 0.02, 0.05]) {
        const threshold = sorted[Math.floor(share * sorted.length)] ?? -1;
        for (const kind of twoVoices) found[kind] = shareBelow(cosines.get(kind) ?? [], threshold);
        results.push({
          rules,
          singleVoiceFiles: sorted.length,
          threshold,
          falseAlarmShare: shareBelow(alone, threshold),
          found: { ...found },
        });
        print(
          `windows of ${rules.leastSeconds} s and more, at most ${rules.mostWindows}; ${sorted.length} files: below ${threshold.toFixed(3)} ` +
            `${(100 * shareBelow(alone, threshold)).toFixed(1)} % of one voice, ` +
            twoVoices.map((kind) => `${(100 * found[kind]).toFixed(0)} % of ${kind}`).join(', '),
        );
      }
    }
    return results;
  } finally {
    await pool.close();
  }
}

interface OpenList {
  readonly name: string;
  readonly heard: readonly { readonly file: DevFile; readonly activity: SpeechActivity }[];
  readonly models: ReadonlyMap<string, readonly string[]>;
  readonly trials: readonly { readonly model: string; readonly test: string; readonly isTarget: boolean }[];
}

async function openList(speechDir: string, name: string, detector: SpeechActivityDetector): Promise<OpenList> {
  const folder = join(speechDir, 'dev', name);
  const enrol = await tableOf(join(folder, 'enrol.tsv'));
  const trials = await tableOf(join(folder, 'trials.tsv'));
  const heard = [];
  for (const file of await devFiles(speechDir, name)) {
    heard.push({ file, activity: await detector.detect({ samples: file.samples, sampleRateHz }) });
  }
  return {
    name,
    heard,
    models: new Map(enrol.map(({ model = '', files = '' }) => [model, files.split(',')])),
    trials: trials.map(({ model = '', test = '', label }) => ({ model, test, isTarget: label === 'target' })),
  };
}

/** A file in which nobody was found is heard whole: the trial has to be scored. */
function keptOrWhole(file: DevFile, activity: SpeechActivity, rules: KeepRules): Float32Array {
  const kept = keptSpeech({ samples: file.samples, sampleRateHz }, activity, rules);
  return kept.length > 0 ? kept : file.samples;
}

function scoresOf(list: OpenList, vectors: ReadonlyMap<string, Float32Array>): Trials {
  const models = new Map(
    [...list.models].map(([model, files]) => {
      const own = files.flatMap((file) => vectors.get(file) ?? []);
      return [
        model,
        weightedMean(
          own,
          own.map(() => 1),
        ),
      ];
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

async function leastCosines(
  recordings: readonly Float32Array[],
  rules: WindowRules,
  embedder: Embedder,
): Promise<number[]> {
  const least: number[] = [];
  for (const samples of recordings) {
    const vectors: Float32Array[] = [];
    for (const window of voiceWindows(samples, sampleRateHz, rules)) {
      vectors.push((await embedder.embed(window, 0)).vector);
    }
    const cosines = vectors.flatMap((one, i) => vectors.slice(i + 1).map((other) => cosine(one, other)));
    if (cosines.length > 0) least.push(Math.min(...cosines));
  }
  return least;
}

const shareBelow = (values: readonly number[], threshold: number): number =>
  values.filter((value) => value < threshold).length / Math.max(1, values.length);

function halves(one: Float32Array, other: Float32Array): Float32Array {
  const first = one.subarray(0, one.length >> 1);
  const second = other.subarray(other.length >> 1);
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Both from their beginnings, as long as the shorter; the other at `levelDb` to the first. */
function overlap(one: Float32Array, other: Float32Array, levelDb: number): Float32Array {
  const length = Math.min(one.length, other.length);
  const power = (samples: Float32Array): number =>
    samples.subarray(0, length).reduce((sum, x) => sum + x * x, 0) || Number.MIN_VALUE;
  const gain = Math.sqrt(power(one) / power(other)) * 10 ** (levelDb / 20);
  return one.subarray(0, length).map((sample, n) => sample + gain * (other[n] as number));
}
