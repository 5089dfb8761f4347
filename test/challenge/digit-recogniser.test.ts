import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodeAudio } from '../../src/audio/decode.js';
import { checkResponse, expectedLlr } from '../../src/challenge/check-response.js';
import { createDigitRecogniser, type DigitEvidence } from '../../src/challenge/digit-recogniser.js';
import type { Language } from '../../src/challenge/languages.js';
import { loadRecogniserCard, recogniserNetworkOf } from '../../src/challenge/recogniser-card.js';
import { checkRecogniserGolden } from '../../src/challenge/recogniser-golden.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { audioFixturesDir, modelsDir } from '../../src/paths.js';
import { digitsGolden } from './digits-golden.js';

const dir = join(modelsDir, 'digits-8k');
const card = await loadRecogniserCard(dir);
const pool = await startInferencePool({ networks: [recogniserNetworkOf(card, dir)], workers: 1, queueLimit: 8 });
t.teardown(() => pool.close());
const recogniser = createDigitRecogniser(pool, card);

async function samplesOf(file: string): Promise<Float32Array> {
  const limits = { maxBytes: 1e6, maxSeconds: 60, ffmpegPath: '', ffmpegProcesses: 1, ffmpegTimeoutMs: 1 };
  const bytes = readFileSync(join(audioFixturesDir, file));
  return (await decodeAudio(bytes, { channel: 'mono', targetRateHz: 8000, limits })).waveform.samples;
}

async function heardIn(samples: Float32Array, language: Language): Promise<DigitEvidence> {
  const heard = await recogniser.recognise(samples, language);
  if (heard === null) throw new Error(`${card.id} does not know ${language}`);
  return heard;
}

void t.test('the recogniser gives its golden output', async (t) => {
  const difference = await checkRecogniserGolden(pool, card, dir);
  t.comment(`largest difference ${difference}`);
  t.ok(difference <= card.golden.largestDifference);
});

void t.test(
  'a language is supported where its figures reach the target on every list, plain and by telephone',
  async (t) => {
    for (const [language, { status }] of Object.entries(card.languages)) {
      const lists = card.measured.lists.filter((list) => list.language === language);
      const reached = lists.every(
        ({ rightAccepted, right, wrongAccepted, wrong }) =>
          rightAccepted >= 0.97 * right && wrongAccepted <= 0.001 * wrong,
      );
      t.ok(['plain', 'phone'].every((channel) => lists.some((list) => list.channel === channel)));
      t.equal(status, reached ? 'supported' : 'experimental', language);
    }
  },
);

void t.test('it hears, scores and judges synthesised callers as the Python reference does', async (t) => {
  const verdicts = { match: 'match', near: 'near_miss', wrong: 'wrong', silence: 'silence' } as const;
  let furthest = 0;
  for (const { file, falseStart, cutSample, language, heard, heardLlr, spans, asked } of digitsGolden().fixtures) {
    const whole = await samplesOf(file);
    const samples = falseStart
      ? Float32Array.of(...whole.subarray(0, cutSample), ...new Float32Array(4000), ...whole)
      : whole;
    const found = await heardIn(samples, language);
    t.equal(found.digits, heard, `${file}: digits`);
    furthest = Math.max(furthest, Math.abs(found.digitsLlr - heardLlr));
    const apart = found.spans.map(({ startSample, endSample }, index) =>
      Math.max(
        Math.abs(startSample - (spans[index]?.[0] ?? NaN)),
        Math.abs(endSample - Math.min(samples.length, spans[index]?.[1] ?? NaN)),
      ),
    );
    t.ok(Math.max(...apart) <= card.frameSamples, `${file}: spans within a frame`);
    for (const { expected, verdict, llr } of asked) {
      furthest = Math.max(furthest, Math.abs(expectedLlr(expected, found).llr - llr));
      const phrase = checkResponse(expected, found);
      t.match(phrase, { kind: 'checked', language, verdict: verdicts[verdict], recogniserId: card.id });
    }
  }
  t.comment(`largest difference of a log probability: ${furthest}`);
  t.ok(furthest < 0.01);
});
