import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sherpaEmbedder } from '../../bench/sherpa.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../../src/embedding/model-card.js';
import { decodeAudio } from '../../src/audio/decode.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { audioFixturesDir, modelsDir, rootDir } from '../../src/paths.js';
import { allDevLists } from '../../bench/activity-files.js';

const speechDir = process.env.VOICEGATE_SPEECH_DIR ?? join(rootDir, '..', 'shared', 'speech');
const filesPerList = 5;

/** Models and the least cosine: two releases of ONNX Runtime round int8 differently. */
const models = { 'baseline-8k-80': 0.9999, 'voicegate-8k-4': 0.9999, 'voicegate-8k-4-int8': 0.999 };

async function openBoth(id: string) {
  const dir = join(modelsDir, id);
  const card = await loadModelCard(dir);
  const pool = await startInferencePool({ networks: [networkOf(card, dir)], workers: 1, queueLimit: 4 });
  t.teardown(() => pool.close());
  return { embedder: createEmbedder(pool, card), sherpa: sherpaEmbedder(networkOf(card, dir).onnxPath, 8000) };
}
const opened = new Map(await Promise.all(Object.keys(models).map(async (id) => [id, await openBoth(id)] as const)));

/** Fails where a model's embedding differs from sherpa-onnx's of the same samples. */
async function sameAsSherpa(t: Test, recordings: readonly Float32Array[]): Promise<void> {
  for (const [id, least] of Object.entries(models)) {
    const smallest = await smallestCosine(id, recordings);
    t.ok(smallest >= least, `${id}: smallest cosine ${smallest}`);
  }
}

/** Smallest cosine between a model's embeddings and sherpa-onnx's of the same samples. */
async function smallestCosine(id: string, recordings: readonly Float32Array[]): Promise<number> {
  const { embedder, sherpa } = opened.get(id) ?? (await openBoth(id));
  let smallest = 1;
  for (const samples of recordings) {
    const { vector } = await embedder.embed(samples, samples.length / 8000);
    const peer = sherpa(samples);
    const dot = vector.reduce((sum, value, index) => sum + value * (peer[index] ?? NaN), 0);
    smallest = Math.min(smallest, dot / Math.hypot(...peer));
  }
  return smallest;
}

function evenly<T>(items: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, index) => items[Math.floor(index * step)] as T);
}

function decodeFlac(path: string): Float32Array {
  const { stdout, status } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-f', 'f32le', '-ar', '8000', '-ac', '1', '-'],
    {
      maxBuffer: 64e6,
    },
  );
  if (status !== 0) throw new Error(`ffmpeg cannot decode ${path}`);
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length));
}

for (const list of allDevLists) {
  const folder = join(speechDir, 'dev', list);
  void t.test(
    `our embeddings are sherpa-onnx’s on real speech: ${list}`,
    { skip: existsSync(folder) ? false : 'needs the speech folder' },
    async (t) => {
      const files = evenly(
        readdirSync(folder)
          .filter((name) => name.endsWith('.flac'))
          .sort(),
        filesPerList,
      );
      t.equal(files.length, filesPerList);
      await sameAsSherpa(
        t,
        files.map((name) => decodeFlac(join(folder, name))),
      );
    },
  );
}

const fixtures = existsSync(audioFixturesDir)
  ? readdirSync(audioFixturesDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.wav'))
      .sort()
  : [];
void t.test('our embeddings are sherpa-onnx’s on the synthesised fixtures', async (t) => {
  t.ok(fixtures.length > 0, 'the fixtures are there');
  const limits = { maxBytes: 8e6, maxSeconds: 60, ffmpegTimeoutMs: 10_000, ffmpegPath: 'ffmpeg', ffmpegProcesses: 1 };
  const recordings = evenly(fixtures, 12).map(async (name) => {
    const decoded = await decodeAudio(readFileSync(join(audioFixturesDir, name)), { targetRateHz: 8000, limits });
    return decoded.waveform.samples;
  });
  await sameAsSherpa(t, await Promise.all(recordings));
});
