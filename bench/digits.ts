import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { decodeAudio } from '../src/audio/decode.js';
import { checkResponse } from '../src/challenge/check-response.js';
import { createDigitRecogniser } from '../src/challenge/digit-recogniser.js';
import { loadRecogniserCard, recogniserNetworkOf } from '../src/challenge/recogniser-card.js';
import { startInferencePool } from '../src/inference/pool.js';
import { modelsDir } from '../src/paths.js';
import { fixture } from './callers.js';
import { median } from './statistics.js';

const limits = { maxBytes: 1e6, maxSeconds: 30, ffmpegTimeoutMs: 10_000, ffmpegPath: 'ffmpeg', ffmpegProcesses: 1 };
const said = '27136095';
const other = '94715823';

/**
 * What the phrase check adds to a verification, one worker, medians: the network in its worker, and what the main thread does with its answer (digits,
 * spans, the verdict for the digits said and for others). Processor time of all threads.
 */
export async function benchDigits(rounds = 50): Promise<void> {
  const dir = join(modelsDir, 'digits-8k');
  const card = await loadRecogniserCard(dir);
  const pool = await startInferencePool({ networks: [recogniserNetworkOf(card, dir)], workers: 1, queueLimit: 10 });
  const recogniser = createDigitRecogniser(pool, card);
  const recording = fixture('callers/en-slt/verify-1.wav');
  const { samples } = (await decodeAudio(recording, { targetRateHz: 8000, limits })).waveform;
  const heard = await recogniser.recognise(samples, 'en');
  if (heard === null) throw new Error(`${card.id} does not know English`);
  process.stdout.write(`${(samples.length / 8000).toFixed(1)} s of speech, digits heard: ${heard.digits.length}\n`);
  const parts: Record<string, () => unknown> = {
    'network alone, through the pool': () => pool.run(card.id, samples),
    'network, digits and spans': () => recogniser.recognise(samples, 'en'),
    'verdict for the digits said': () => checkResponse(said, heard),
    'verdict for other digits': () => checkResponse(other, heard),
  };
  for (const [name, work] of Object.entries(parts)) {
    const wallMs: number[] = [];
    const cpuMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startMs = performance.now();
      const startCpu = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(startCpu);
      wallMs.push(performance.now() - startMs);
      cpuMs.push((user + system) / 1000);
    }
    process.stdout.write(`${name.padEnd(34)} ${median(wallMs).toFixed(2)} ms, ${median(cpuMs).toFixed(2)} core ms\n`);
  }
  await pool.close();
}
