import {
  defaultKeepRules,
  defaultWindowRules,
  voiceWindows,
  windowKeepRules,
  type KeepRules,
  type WindowRules,
} from '../src/audio/kept-speech.js';
import type { Embedder } from '../src/embedding/embedder.js';
import { cosine } from '../src/scoring/cosine.js';
import { openEars } from './activity.js';
import { keptOrWhole, openSpeakerLists, sampleRateHz, type OpenList } from './activity-lists.js';
import { seededRandom } from './activity-noise.js';

/** What the smallest cosine between windows tells of second voices. */
export interface WindowResult {
  readonly keep: KeepRules;
  readonly rules: WindowRules;
  /** Real recordings of one speaker that are long enough for two windows. */
  readonly singleVoiceFiles: number;
  /** Largest threshold with at most `falseAlarmShare` of them below it. */
  readonly threshold: number;
  readonly falseAlarmShare: number;
  /** Share of the made two-voice recordings that lie below it. */
  readonly found: Readonly<Record<TwoVoices, number>>;
}

/** Half of one and half of another speaker's; one over the other at the same level, or 6 dB louder. */
export type TwoVoices = 'half and half' | 'overlap 0 dB' | 'overlap 6 dB';

const filesPerList = 80;
const variants: readonly (readonly [keep: KeepRules, rules: WindowRules])[] = [
  [windowKeepRules, defaultWindowRules],
  [windowKeepRules, { leastSeconds: 2, mostWindows: 2 }],
  [windowKeepRules, { leastSeconds: 1.5, mostWindows: 4 }],
  [defaultKeepRules, defaultWindowRules],
];

/** Real files, and pairs of them from different speakers of one list, for several ways of cutting windows. Embeddings of the default model. */
export async function benchVoiceWindows(
  speechDir: string,
  print: (line: string) => void = console.log,
): Promise<WindowResult[]> {
  const { pool, detector, embedder } = await openEars(1);
  try {
    const lists = await openSpeakerLists(speechDir, detector);
    const results: WindowResult[] = [];
    for (const [keep, rules] of variants) {
      const made = recordings(lists, keep, 2 * rules.leastSeconds);
      const alone = (await leastCosines(made.alone, rules, embedder)).sort((a, b) => a - b);
      const two = {
        'half and half': await leastCosines(made['half and half'], rules, embedder),
        'overlap 0 dB': await leastCosines(made['overlap 0 dB'], rules, embedder),
        'overlap 6 dB': await leastCosines(made['overlap 6 dB'], rules, embedder),
      };
      for (const share of [0.01, 0.02, 0.05]) {
        const threshold = alone[Math.floor(share * alone.length)] ?? -1;
        const falseAlarmShare = shareBelow(alone, threshold);
        const found = {
          'half and half': shareBelow(two['half and half'], threshold),
          'overlap 0 dB': shareBelow(two['overlap 0 dB'], threshold),
          'overlap 6 dB': shareBelow(two['overlap 6 dB'], threshold),
        };
        results.push({ keep, rules, singleVoiceFiles: alone.length, threshold, falseAlarmShare, found });
        const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
        print(
          `margins ${keep.marginSeconds} s, pauses to ${keep.longestPauseSeconds} s; ${rules.leastSeconds} s and more, ` +
            `at most ${rules.mostWindows}; ${alone.length} files: below ${threshold.toFixed(3)} ${percent(falseAlarmShare)} of one voice, ` +
            Object.entries(found)
              .map(([kind, part]) => `${percent(part)} of ${kind}`)
              .join(', '),
        );
      }
    }
    return results;
  } finally {
    await pool.close();
  }
}

function recordings(
  lists: readonly OpenList[],
  keep: KeepRules,
  leastSeconds: number,
): Record<TwoVoices | 'alone', Float32Array[]> {
  const random = seededRandom(7);
  const made = {
    alone: [] as Float32Array[],
    'half and half': [] as Float32Array[],
    'overlap 0 dB': [] as Float32Array[],
    'overlap 6 dB': [] as Float32Array[],
  };
  for (const list of lists) {
    const long = list.heard
      .map(({ file, activity }) => ({ speaker: file.speaker, kept: keptOrWhole(file, activity, keep) }))
      .filter(({ kept }) => kept.length >= leastSeconds * sampleRateHz);
    const step = Math.max(1, long.length / filesPerList);
    for (let at = 0; at < long.length; at += step) {
      const { speaker, kept } = long[Math.floor(at)] ?? { speaker: '', kept: new Float32Array(0) };
      made.alone.push(kept);
      const others = long.filter((other) => other.speaker !== speaker);
      const other = others[Math.floor(random() * others.length)]?.kept;
      if (other === undefined) continue;
      made['half and half'].push(halves(kept, other));
      made['overlap 0 dB'].push(overlap(kept, other, 0));
      made['overlap 6 dB'].push(overlap(kept, other, -6));
    }
  }
  return made;
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
