import { join } from 'node:path';
import t from 'tap';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { checkGolden } from '../../src/embedding/golden.js';
import { sweepsAndBursts } from '../../src/inference/golden-signal.js';
import { loadModelCard, networkOf, type ModelCard } from '../../src/embedding/model-card.js';
import type { InferencePool } from '../../src/inference/network.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import { kaldi24, nemo32, waveform16k } from '../inference/networks.js';
import { cardFor, modelFolder, type Tap } from './cards.js';

async function poolFor(t: Tap, card: ModelCard, dir: string): Promise<InferencePool> {
  const pool = await startInferencePool({ networks: [networkOf(card, dir)], workers: 1, queueLimit: 8 });
  t.teardown(() => pool.close());
  return pool;
}

void t.test('the baseline gives its golden embedding: cosine at least 0.9999', async (t) => {
  const dir = join(modelsDir, 'baseline-8k-80');
  const card = await loadModelCard(dir);
  const pool = await poolFor(t, card, dir);
  const cosine = await checkGolden(pool, card, dir);
  t.ok(cosine > 1 - 1e-8, `cosine ${cosine}`);

  const { vector, modelId, netSpeechSeconds, networkMs } = await createEmbedder(pool, card).embed(
    sweepsAndBursts(8000),
    1.5,
  );
  t.equal(vector.length, 192);
  t.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6, 'of unit length');
  t.same([modelId, netSpeechSeconds], ['baseline-8k-80', 1.5]);
  t.ok(networkMs > 0);
});

void t.test('a front-end other than the model was trained with does not pass the golden check', async (t) => {
  const dir = join(modelsDir, 'baseline-8k-80');
  const card = await loadModelCard(dir);
  const { frontEnd } = card;
  if (frontEnd.kind !== 'kaldi-fbank') return t.fail('the baseline has a Kaldi front-end');
  for (const change of [
    { window: 'hamming' },
    { snipEdges: true },
    { highHz: 4000 },
    { normalisation: 'none' },
  ] as const) {
    const wrong: ModelCard = { ...card, frontEnd: { ...frontEnd, ...change } };
    const pool = await poolFor(t, wrong, dir);
    await t.rejects(checkGolden(pool, wrong, dir), {
      code: 'model_invalid',
      message: /cosine 0\.\d+ .* at least 0\.9999/,
    });
  }
});

void t.test('NeMo and raw-waveform cards embed too, each checked by its golden vector', async (t) => {
  for (const card of [cardFor('nemo', nemo32, 32), cardFor('waveform', waveform16k, 4)]) {
    const signal = sweepsAndBursts(16_000);
    const probe = await poolFor(t, card, modelFolder(t, card.id, card));
    const { vector } = await createEmbedder(probe, card).embed(signal, 2);
    if (card.id === 'waveform') {
      const level = signal.reduce((sum, value) => sum + Math.abs(value), 0) / signal.length;
      const mean = signal.reduce((sum, value) => sum + value, 0) / signal.length;
      const wanted = [mean, level, Math.max(...signal), Math.min(...signal)];
      const length = Math.hypot(...wanted);
      t.ok(wanted.every((value, index) => Math.abs(value / length - (vector[index] ?? NaN)) < 1e-5));
    }
    const dir = modelFolder(t, card.id, card, { embedding_unit_length: [...vector] });
    t.ok((await checkGolden(await poolFor(t, card, dir), card, dir)) > 0.999999, card.id);
  }
});

void t.test('golden files that do not fit are refused with the reason', async (t) => {
  const card = cardFor('frames', kaldi24, 24);
  const other = Array.from({ length: 24 }, (_, index) => (index === 0 ? 1 : 0));
  for (const [golden, message] of [
    [undefined, /golden\.json cannot be read/],
    ['{', /is not JSON/],
    [{ values: other }, /no list of numbers embedding_unit_length/],
    [{ embedding_unit_length: [1, 0] }, /holds 2 values, the card says 24/],
    [{ embedding_unit_length: other }, /has cosine -?0\.\d+ to the golden one/],
  ] as const) {
    const dir = modelFolder(t, 'frames', card, golden);
    const pool = await poolFor(t, card, dir);
    await t.rejects(checkGolden(pool, card, dir), { code: 'model_invalid', message });
  }
});

void t.test('a card with another dimension than its network is refused', async (t) => {
  const card = cardFor('frames', kaldi24, 25);
  const pool = await poolFor(t, card, modelFolder(t, 'frames', card));
  await t.rejects(createEmbedder(pool, card).embed(new Float32Array(8000).fill(0.1), 1), {
    code: 'model_invalid',
    message: /gives \[1, 24\] values, its card says dimension 25/,
  });
});

void t.test(
  'too little speech is refused before the network, and an embedding without a direction after it',
  async (t) => {
    const card = cardFor('waveform', waveform16k, 4);
    const pool = await poolFor(t, card, modelFolder(t, 'waveform', card));
    const embedder = createEmbedder(pool, card);
    t.equal(embedder.shortestSamples, 1600);
    await t.rejects(embedder.embed(new Float32Array(1599), 0.1), {
      code: 'audio_empty',
      message: /0\.10 s of speech are too short for model waveform/,
      hint: /At least 0\.1 s/,
    });
    await t.rejects(embedder.embed(new Float32Array(0), 0), { code: 'audio_empty' });
    await t.rejects(embedder.embed(new Float32Array(1600), 0.1), {
      code: 'inference_failed',
      message: /without a direction/,
    });
    await t.rejects(embedder.embed(new Float32Array(1600).fill(NaN), 0.1), {
      code: 'inference_failed',
      hint: /not finite/,
    });
    t.equal((await embedder.embed(new Float32Array(1600).fill(0.1), 0.1)).vector.length, 4);
  },
);
