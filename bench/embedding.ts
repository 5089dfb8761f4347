import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import '../src/inference/no-telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { defaultModelId } from '../src/config.js';
import { decodeAudio } from '../src/audio/decode.js';
import { createNetworkInput } from '../src/features/network-input.js';
import { createEmbedder } from '../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../src/embedding/model-card.js';
import type { NetworkSpec } from '../src/inference/network.js';
import { startInferencePool } from '../src/inference/pool.js';
import { openNetwork } from '../src/inference/session.js';
import { modelsDir, rootDir } from '../src/paths.js';
import { fixture } from './callers.js';
import { sherpaEmbedder } from './sherpa.js';
import { median } from './statistics.js';

/** Medians over the rounds, ms for one embedding. */
export interface Cost {
  /** By the clock. */
  readonly wallMs: number;
  /** Processor time of all threads: what a core is busy with. */
  readonly cpuMs: number;
}

/** What `benchEmbedding` measures; ratios are medians of each round's ratio. */
export interface EmbeddingBench {
  /** What we add to the bare session's time over what sherpa-onnx adds, by the clock; the network replaced by next to nothing. */
  readonly addedRatio: number;
  /** The same by processor time. */
  readonly addedRatioCpu: number;
  /** The same by processor time with the real network: noisier, as each side is a small difference of large numbers. */
  readonly addedRatioWholeCpu: number;
  /** sherpa-onnx's whole path over ours, samples → embedding, processor time: over 1 we embed more per core. */
  readonly throughputRatioCpu: number;
  readonly costs: Readonly<Record<Contender, Cost>>;
}

type Contender = 'bare session' | 'ours, same thread' | 'ours, pool' | 'ours, µ-law WAV' | 'sherpa-onnx' | Surrounding;
type Surrounding = 'bare session*' | 'ours, same thread*' | 'ours, pool*' | 'sherpa-onnx*';

const rateHz = 8000;
const speechSeconds = 3;
const perRound = 20;
const limits = { maxBytes: 1e6, maxSeconds: 30, ffmpegTimeoutMs: 10_000, ffmpegPath: 'ffmpeg', ffmpegProcesses: 1 };

/**
 * Cost of 3 s of speech, everything by turns in one run and on one thread: the bare ONNX session on ready-made frames, our path in the same
 * thread, through the pool, from a µ-law WAV file, and sherpa-onnx on the same ONNX file and samples. Rows with * have the network replaced
 * by one that does next to nothing (test/inference/networks/surroundings.onnx): what is left is what surrounds the network, so that a slower or
 * faster build of ONNX Runtime inside sherpa-onnx does not count.
 */
export async function benchEmbedding(rounds = 40): Promise<EmbeddingBench> {
  const dir = join(modelsDir, defaultModelId);
  const card = await loadModelCard(dir);
  const model = networkOf(card, dir);
  const surroundings = surroundingsOf(model);
  const file = fixture('callers/en-slt/enrol-1.wav');
  const samples = (await decode(file)).subarray(0, speechSeconds * rateHz);
  const wav = firstSeconds(file, speechSeconds);

  const pool = await startInferencePool({ networks: [model, surroundings], workers: 1, queueLimit: 10 });
  const embedder = createEmbedder(pool, card);
  const [ours, oursSurroundings] = [await openNetwork(model), await openNetwork(surroundings)];
  const [bare, bareSurroundings] = [await bareSession(model, samples), await bareSession(surroundings, samples)];
  const sherpa = sherpaEmbedder(model.onnxPath, rateHz);
  const sherpaSurroundings = sherpaEmbedder(surroundings.onnxPath, rateHz);

  const contenders: Record<Contender, () => unknown> = {
    'bare session': bare,
    'ours, same thread': () => ours.run(samples),
    'ours, pool': () => embedder.embed(samples, speechSeconds),
    'ours, µ-law WAV': async () => embedder.embed(await decode(wav), speechSeconds),
    'sherpa-onnx': () => sherpa(samples),
    'bare session*': bareSurroundings,
    'ours, same thread*': () => oursSurroundings.run(samples),
    'ours, pool*': () => pool.run(surroundings.id, samples),
    'sherpa-onnx*': () => sherpaSurroundings(samples),
  };
  const table = await takeTurns(contenders, rounds);
  await pool.close();
  const result = summarise(table);
  print(result);
  return result;
}

function surroundingsOf(model: NetworkSpec): NetworkSpec {
  const onnxPath = join(rootDir, 'test', 'inference', 'networks', 'surroundings.onnx');
  const sha256 = createHash('sha256').update(readFileSync(onnxPath)).digest('hex');
  return { ...model, id: 'surroundings', onnxPath, sha256 };
}

async function decode(bytes: Uint8Array): Promise<Float32Array> {
  return (await decodeAudio(bytes, { targetRateHz: rateHz, limits })).waveform.samples;
}

/** A µ-law WAV file of one channel cut to its first seconds: header kept, sizes set. */
function firstSeconds(file: Buffer, seconds: number): Buffer {
  const data = file.indexOf('data', 12, 'latin1');
  const cut = Buffer.from(file.subarray(0, data + 8 + seconds * rateHz));
  cut.writeUInt32LE(cut.length - 8, 4);
  cut.writeUInt32LE(seconds * rateHz, data + 4);
  return cut;
}

/** Runs of the session alone: its input is made before. */
async function bareSession(spec: NetworkSpec, samples: Float32Array): Promise<() => unknown> {
  const session = await InferenceSession.create(spec.onnxPath, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const { values, frames, bins } = createNetworkInput(spec.frontEnd)(samples);
  const feeds = { [spec.input.name]: new Tensor('float32', values, [1, frames, bins]) };
  return () => session.run(feeds);
}

/** For each contender the cost of each round. */
async function takeTurns(
  contenders: Record<Contender, () => unknown>,
  rounds: number,
): Promise<Record<Contender, Cost[]>> {
  const names = Object.keys(contenders) as Contender[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as Cost[]])) as Record<Contender, Cost[]>;
  const warmUpRounds = 2;
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + warmUpRounds) % names.length] as Contender;
      const startMs = performance.now();
      const startCpu = process.cpuUsage();
      for (let run = 0; run < perRound; run++) await contenders[name]();
      const { user, system } = process.cpuUsage(startCpu);
      const cost = { wallMs: (performance.now() - startMs) / perRound, cpuMs: (user + system) / 1000 / perRound };
      if (round >= 0) costs[name].push(cost);
    }
  }
  return costs;
}

function summarise(table: Record<Contender, Cost[]>): EmbeddingBench {
  const ratio = (by: keyof Cost, over: (at: (name: Contender) => number) => number): number =>
    median(table['bare session'].map((_, round) => over((name) => table[name][round]?.[by] ?? NaN)));
  const added = (at: (name: Contender) => number): number =>
    (at('ours, pool*') - at('bare session*')) / (at('sherpa-onnx*') - at('bare session*'));
  const addedWhole = (at: (name: Contender) => number): number =>
    (at('ours, pool') - at('bare session')) / (at('sherpa-onnx') - at('bare session'));
  const costs = Object.entries(table).map(([name, rows]) => [
    name,
    { wallMs: median(rows.map((row) => row.wallMs)), cpuMs: median(rows.map((row) => row.cpuMs)) },
  ]);
  return {
    addedRatio: ratio('wallMs', added),
    addedRatioCpu: ratio('cpuMs', added),
    addedRatioWholeCpu: ratio('cpuMs', addedWhole),
    throughputRatioCpu: ratio('cpuMs', (at) => at('sherpa-onnx') / at('ours, pool')),
    costs: Object.fromEntries(costs) as Record<Contender, Cost>,
  };
}

function print(result: EmbeddingBench): void {
  const { addedRatio, addedRatioCpu, addedRatioWholeCpu, throughputRatioCpu, costs } = result;
  const line = (text: string): void => void process.stdout.write(`${text}\n`);
  line('what we add to the bare session over what sherpa-onnx adds:');
  line(
    `  around next to no network ${addedRatio.toFixed(2)} by the clock, ${addedRatioCpu.toFixed(2)} by processor time`,
  );
  line(`  around the real network ${addedRatioWholeCpu.toFixed(2)} by processor time`);
  line(`embeddings per core, ours over sherpa-onnx's: ${throughputRatioCpu.toFixed(2)}`);
  line(`${speechSeconds} s of speech, medians (* network replaced by next to nothing)`);
  line(`${'path'.padEnd(22)}${'ms'.padStart(8)}${'core ms'.padStart(10)}${'per core and second'.padStart(22)}`);
  for (const [name, { wallMs, cpuMs }] of Object.entries(costs)) {
    line(
      `${name.padEnd(22)}${wallMs.toFixed(2).padStart(8)}${cpuMs.toFixed(2).padStart(10)}${(1000 / cpuMs).toFixed(0).padStart(22)}`,
    );
  }
}

if (process.argv[1] === import.meta.filename) await benchEmbedding();
