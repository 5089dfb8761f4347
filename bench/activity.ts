import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { defaultModelId } from '../src/config.js';
import { activityNetworkOf, loadActivityCard } from '../src/audio/activity-card.js';
import { secondsOf, speechSpans } from '../src/audio/activity-spans.js';
import { SpeechActivityDetector } from '../src/audio/speech-activity.js';
import { createEmbedder } from '../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../src/embedding/model-card.js';
import type { InferencePool } from '../src/inference/network.js';
import { startInferencePool } from '../src/inference/pool.js';
import { modelsDir } from '../src/paths.js';
import { allDevLists, devFiles, type DevFile } from './activity-files.js';
import { noiseKinds, seededRandom, withNoise } from './activity-noise.js';
import { openSilero, type Silero } from './activity-silero.js';

const rateHz = 8000;
const snrsDb = [20, 10, 5] as const;

/** Net speech seconds of one list under one condition, summed over its files. */
export interface Agreement {
  readonly list: string;
  /** `clean`, or noise and signal-to-noise ratio: `pink 10 dB`. */
  readonly condition: string;
  readonly ours: number;
  readonly silero: number;
  /** ours / silero */
  readonly ratio: number;
}

/** Cost of 3 s of speech on one thread, medians of one run, alternating. */
export interface ActivityCost {
  readonly activityMs: number;
  readonly embeddingMs: number;
  readonly sileroMs: number;
}

/** What `benchActivity` measures. */
export interface ActivityBench {
  readonly agreement: readonly Agreement[];
  readonly cost: ActivityCost;
}

/** Detector, embedder and the pool behind them, as the service has them. */
export async function openEars(workers: number, embeddingModel = defaultModelId) {
  const activityDir = join(modelsDir, 'activity-8k');
  const modelDir = join(modelsDir, embeddingModel);
  const [activityCard, card] = [await loadActivityCard(activityDir), await loadModelCard(modelDir)];
  const networks = [activityNetworkOf(activityCard, activityDir), networkOf(card, modelDir)];
  const pool = await startInferencePool({ networks, workers, queueLimit: 10_000 });
  return { pool, detector: new SpeechActivityDetector(pool, activityCard), embedder: createEmbedder(pool, card) };
}

/**
 * Net speech seconds beside Silero VAD's on the dev lists, clean and with noise, and the cost of both beside the embedding.
 * Silero: v5, 8 kHz, its published defaults for spans, which are also ours (`sileroSpanRules`). Noise is added to the speech that
 * Silero finds in the clean file, at the ratio of the powers; both then hear the same noisy samples.
 * @param speechDir folder with dev/
 * @param print one line a list, as they come
 */
export async function benchActivity(
  speechDir: string,
  print: (line: string) => void = console.log,
): Promise<ActivityBench> {
  const { pool, detector } = await openEars(1);
  const silero = await openSilero();
  try {
    const lists: DevFile[][] = [];
    for (const list of allDevLists) lists.push(await devFiles(speechDir, list));
    const voices = lists.flat().map((file) => file.samples);
    const agreement: Agreement[] = [];
    const conditions = ['clean', ...noiseKinds.flatMap((kind) => snrsDb.map((snr) => `${kind} ${snr}`))];
    print(['net speech, ours / Silero'.padEnd(26), ...conditions.map((name) => name.padStart(9))].join(' '));
    for (const files of lists) {
      const rows = await compare(files, voices, detector, silero);
      agreement.push(...rows);
      print([(files[0]?.list ?? '').padEnd(26), ...rows.map((row) => row.ratio.toFixed(3).padStart(9))].join(' '));
    }
    const furthest = Math.max(...agreement.map((row) => Math.abs(row.ratio - 1)));
    print(`furthest from 1: ${(100 * furthest).toFixed(1)} %`);
    const cost = await measureCost(voices, pool, silero);
    const share = cost.activityMs / cost.embeddingMs;
    print(
      `cost of 3 s on one thread: activity ${cost.activityMs.toFixed(2)} ms : embedding ${cost.embeddingMs.toFixed(2)} ms : ` +
        `Silero ${cost.sileroMs.toFixed(2)} ms = ${share.toFixed(2)} : 1 : ${(cost.sileroMs / cost.embeddingMs).toFixed(2)}`,
    );
    return { agreement, cost };
  } finally {
    await silero.close();
    await pool.close();
  }
}

async function compare(
  files: readonly DevFile[],
  voices: readonly Float32Array[],
  detector: SpeechActivityDetector,
  silero: Silero,
): Promise<Agreement[]> {
  const random = seededRandom(20261122);
  const list = files[0]?.list ?? '';
  const clean = files.map((file) => file.samples);
  const heardBySilero = async (recordings: readonly Float32Array[]) =>
    (await silero.probabilities(recordings)).map((probabilities, i) =>
      speechSpans(probabilities, silero.hopSamples, recordings[i]?.length ?? 0, rateHz),
    );
  const cleanSpans = await heardBySilero(clean);
  const rowOf = async (condition: string, recordings: readonly Float32Array[]): Promise<Agreement> => {
    const spans = await heardBySilero(recordings);
    const sileroSeconds = spans.reduce((sum, found) => sum + secondsOf(found, rateHz), 0);
    let ours = 0;
    for (const samples of recordings)
      ours += (await detector.detect({ samples, sampleRateHz: rateHz })).netSpeechSeconds;
    return { list, condition, ours, silero: sileroSeconds, ratio: ours / sileroSeconds };
  };
  const rows = [await rowOf('clean', clean)];
  for (const kind of noiseKinds) {
    for (const snrDb of snrsDb) {
      const noisy = clean.map((samples, i) => withNoise(samples, cleanSpans[i] ?? [], kind, snrDb, voices, random));
      rows.push(await rowOf(`${kind} ${snrDb} dB`, noisy));
    }
  }
  return rows;
}

async function measureCost(
  voices: readonly Float32Array[],
  pool: InferencePool,
  silero: Silero,
): Promise<ActivityCost> {
  const cuts = voices
    .filter((samples) => samples.length >= 3 * rateHz)
    .map((samples) => samples.subarray(0, 3 * rateHz));
  const times = { activity: [] as number[], embedding: [] as number[], silero: [] as number[] };
  const networkMs = async (id: string, samples: Float32Array): Promise<number> => {
    const answer = await pool.run(id, samples);
    return answer.featuresMs + answer.networkMs;
  };
  for (const samples of cuts.slice(0, 200)) {
    times.activity.push(await networkMs('activity-8k', samples));
    times.embedding.push(await networkMs(defaultModelId, samples));
    const startMs = performance.now();
    await silero.probabilities([samples]);
    times.silero.push(performance.now() - startMs);
  }
  return {
    activityMs: median(times.activity),
    embeddingMs: median(times.embedding),
    sileroMs: median(times.silero),
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
