import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import { readConfig } from '../../src/config.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../../src/embedding/model-card.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { audioFixturesDir, modelsDir } from '../../src/paths.js';
import { cosine } from '../../src/scoring/cosine.js';
import { createEars } from '../../src/service/listen.js';
import { createRecordingEar } from '../../src/tuning/recording-ear.js';
import { limits } from '../audio/made-audio.js';
import { near } from '../scoring/seeded-scores.js';

const { modelId } = readConfig({});
const [dir, activityDir] = [join(modelsDir, modelId), join(modelsDir, 'activity-8k')];
const [card, activityCard] = [await loadModelCard(dir), await loadActivityCard(activityDir)];
const networks = [networkOf(card, dir), activityNetworkOf(activityCard, activityDir)];
const pool = await startInferencePool({ networks, workers: 1, queueLimit: 50 });
t.teardown(() => pool.close());
const activity = new SpeechActivityDetector(pool, activityCard);
const embedder = createEmbedder(pool, card);
const service = createEars({ limits, activity, embedders: [embedder], recogniser: null, onStage: () => undefined });
const decode = (file: string) =>
  service.decode({ bytes: readFileSync(join(audioFixturesDir, file)), contentType: null, channel: null });

void t.test('a recording is heard as the service hears it', async (t) => {
  const hear = createRecordingEar({ activity, embedder, part: 'kept' });
  for (const file of ['callers/en-awb/enrol-1.wav', 'callers/zh-f4/verify-2.wav', 'odd/two-voices-in-turn.wav']) {
    const waveform = await decode(file);
    const [found, wanted] = [await hear(waveform), await service.hear(waveform, { hears: 'caller' })];
    near(t, cosine(found.vector!, wanted.embedding!.vector), 1, 1e-9);
    t.equal(found.netSpeechSeconds, wanted.report.netSpeechSeconds);
    t.equal(found.snrDb, wanted.report.snrDb);
  }
});

void t.test('silence is a failure to acquire, but not for whoever wants whole files', async (t) => {
  const waveform = await decode('odd/silence.wav');
  t.equal((await createRecordingEar({ activity, embedder, part: 'kept' })(waveform)).vector, null);
  const speech = await decode('callers/en-awb/enrol-1.wav');
  const quiet = { ...speech, samples: speech.samples.map((sample) => sample * 1e-4) };
  t.ok((await createRecordingEar({ activity, embedder, part: 'whole' })(quiet)).vector);
});
