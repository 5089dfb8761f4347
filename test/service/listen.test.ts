import { join } from 'node:path';
import t from 'tap';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import type { DigitRecogniser } from '../../src/challenge/digit-recogniser.js';
import type { Embedder } from '../../src/embedding/embedder.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import { createEars, type Listeners } from '../../src/service/listen.js';
import { evidenceOf } from '../challenge/posteriors.js';
import { fixture } from '../fixtures/fixtures.js';

const dir = join(modelsDir, 'activity-8k');
const card = await loadActivityCard(dir);
const pool = await startInferencePool({ networks: [activityNetworkOf(card, dir)], workers: 1, queueLimit: 8 });
t.teardown(() => pool.close());

/** Real ears with an embedder and a recogniser that only keep what they were given. */
async function heardWith(listeners: Listeners) {
  const given = { embedder: [] as Float32Array[], recogniser: [] as Float32Array[], stages: [] as string[] };
  const embedder: Embedder = {
    modelId: 'model',
    sampleRateHz: 8000,
    dimension: 2,
    shortestSamples: 800,
    async embed(samples, netSpeechSeconds) {
      given.embedder.push(samples);
      return {
        vector: Float32Array.of(1, 0),
        modelId: 'model',
        netSpeechSeconds,
        queuedMs: 0,
        featuresMs: 0,
        networkMs: 0,
      };
    },
  };
  const recogniser: DigitRecogniser = {
    recogniserId: 'digits',
    sampleRateHz: 8000,
    shortestSamples: 800,
    languages: ['zh', 'en'],
    async recognise(samples, language) {
      given.recogniser.push(samples);
      return evidenceOf('27136095', { language });
    },
  };
  const ears = createEars({
    limits: { maxBytes: 1e6, maxSeconds: 60, ffmpegPath: '', ffmpegProcesses: 1, ffmpegTimeoutMs: 1 },
    activity: new SpeechActivityDetector(pool, card),
    embedders: [embedder],
    recogniser,
    onStage: (stage) => given.stages.push(stage),
  });
  const bytes = fixture('callers/en-slt/verify-1.wav');
  const waveform = await ears.decode({ bytes, contentType: 'audio/wav', channel: null });
  return { ...given, waveform, heard: await ears.hear(waveform, listeners) };
}

/** Whether samples hold a stretch of the recording's: compared at its loudest, where no noise is alike. */
function holds(samples: Float32Array, recording: Float32Array): boolean {
  const middle = Math.floor(recording.length / 2);
  const stretch = recording.subarray(middle, middle + 200);
  for (let at = 0; at + stretch.length <= samples.length; at++) {
    if (stretch.every((value, index) => samples[at + index] === value)) return true;
  }
  return false;
}

void t.test('embedder and recogniser hear the caller, the recogniser in one piece', async (t) => {
  const { embedder, recogniser, stages, waveform, heard } = await heardWith({ hears: 'caller', digitsIn: 'en' });
  t.equal(recogniser.length, 1);
  t.ok(recogniser.concat(embedder[0] ?? []).every((samples) => holds(samples, waveform.samples)));
  t.equal(heard.digits?.digits, '27136095');
  t.match(stages, ['decode', 'activity']);
  t.ok(stages.includes('digits') && stages.includes('embedding'));
});

void t.test('of a decoy neither hears a sample of the recording, at the same length of work', async (t) => {
  const caller = await heardWith({ hears: 'caller', digitsIn: 'en' });
  const { embedder, recogniser, waveform } = await heardWith({ hears: 'decoy', digitsIn: 'en' });
  const lengths = (pieces: readonly Float32Array[]) => pieces.map((samples) => samples.length);
  t.same(lengths(recogniser), lengths(caller.recogniser));
  t.same(lengths(embedder), lengths(caller.embedder));
  for (const samples of [...embedder, ...recogniser]) t.notOk(holds(samples, waveform.samples));
});

void t.test('where nothing was asked for nobody listens for digits', async (t) => {
  const { recogniser, heard } = await heardWith({ hears: 'caller' });
  t.same(recogniser, []);
  t.equal(heard.digits, null);
});
