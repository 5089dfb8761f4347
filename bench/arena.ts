import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import '../src/inference/no-telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { defaultModelId } from '../src/config.js';
import { modelsDir } from '../src/paths.js';
import { median } from './statistics.js';

/** Ways to keep ONNX Runtime's memory in check without padding inputs to a few lengths. */
const variants: Record<string, InferenceSession.SessionOptions> = {
  'as it comes': {},
  'no memory pattern': { enableMemPattern: false },
  'no arena': { enableCpuMemArena: false },
  neither: { enableCpuMemArena: false, enableMemPattern: false },
};

const framesPerSecond = 100;
const bins = 80;

interface Growth {
  /** Mean resident memory of each quarter of the runs, MB. */
  readonly quarters: readonly number[];
  /** Median time of the network for 1 s of speech, ms. */
  readonly msPerSecond: number;
}

/**
 * Resident memory and speed of one session, each variant in a process of its own, over runs of random lengths from 1 to 20 s.
 * `node dist/bench/arena.js 3000`
 */
export function benchArena(runs: number): void {
  process.stdout.write(
    `${'variant'.padEnd(20)}${'last/second quarter'.padStart(20)}${'MB by quarter'.padStart(28)}${'ms a second'.padStart(14)}\n`,
  );
  for (const variant of Object.keys(variants)) {
    const text = execFileSync(process.execPath, [import.meta.filename, String(runs), variant], { encoding: 'utf8' });
    const { quarters, msPerSecond } = JSON.parse(text) as Growth;
    const ratio = (quarters[3] ?? NaN) / (quarters[1] ?? NaN);
    const megabytes = quarters.map((value) => value.toFixed(0)).join(' ');
    process.stdout.write(
      `${variant.padEnd(20)}${ratio.toFixed(3).padStart(20)}${megabytes.padStart(28)}${msPerSecond.toFixed(2).padStart(14)}\n`,
    );
  }
}

async function grow(runs: number, options: InferenceSession.SessionOptions): Promise<Growth> {
  const path = join(modelsDir, defaultModelId, 'model.onnx');
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1, ...options });
  const values = Float32Array.from({ length: 20 * framesPerSecond * bins }, (_, index) => Math.sin(index * index));
  let state = 1;
  const resident: number[] = [];
  const speed: number[] = [];
  for (let run = 0; run < runs; run++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const frames = framesPerSecond + (state % (19 * framesPerSecond));
    const startMs = performance.now();
    await session.run({ feats: new Tensor('float32', values.subarray(0, frames * bins), [1, frames, bins]) });
    speed.push(((performance.now() - startMs) / frames) * framesPerSecond);
    resident.push(process.memoryUsage.rss() / 1e6);
  }
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const part = resident.slice((quarter * runs) / 4, ((quarter + 1) * runs) / 4);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  return { quarters, msPerSecond: median(speed) };
}

if (process.argv[1] === import.meta.filename) {
  const runs = Number(process.argv[2] ?? 3000);
  const variant = process.argv[3];
  if (variant === undefined) benchArena(runs);
  else process.stdout.write(JSON.stringify(await grow(runs, variants[variant] ?? {})));
}
