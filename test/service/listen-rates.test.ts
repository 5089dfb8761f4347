import t from 'tap';
import { decodeAudio, resample } from '../../src/audio/decode.js';
import { keptSpeech } from '../../src/audio/kept-speech.js';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { networkOf } from '../../src/embedding/model-card.js';
import { resolveModelDir } from '../../src/embedding/model-folders.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { createEars } from '../../src/service/listen.js';
import { cardFor } from '../embedding/cards.js';
import { fixture, fixtureCallers } from '../fixtures/fixtures.js';
import { networksDir, waveform16k } from '../inference/networks.js';

const limits = { maxBytes: 8e6, maxSeconds: 60, ffmpegTimeoutMs: 10_000, ffmpegPath: 'ffmpeg', ffmpegProcesses: 1 };
const activityDir = resolveModelDir('activity-8k', '/nowhere');
const activityCard = await loadActivityCard(activityDir);
// Energy below and above 4 kHz of what a network of 16 kHz is given (test/inference/make_networks.py).
const card = cardFor('bands', waveform16k, 2);
const pool = await startInferencePool({
  networks: [networkOf(card, networksDir), activityNetworkOf(activityCard, activityDir)],
  workers: 1,
  queueLimit: 16,
});
t.teardown(() => pool.close());
const activity = new SpeechActivityDetector(pool, activityCard);
const ears = createEars({
  limits,
  activity,
  embedders: [createEmbedder(pool, card)],
  recogniser: null,
  onStage: () => undefined,
});

void t.test(
  'a model of 16 kHz is given telephone speech at its rate: nothing above 4 kHz but what the filter leaves',
  async (t) => {
    const [caller] = fixtureCallers();
    const file = caller?.verify[0]?.file ?? '';
    const waveform = await ears.decode({ bytes: fixture(file), contentType: 'audio/wav', channel: null });
    t.equal(waveform.sampleRateHz, 8000);
    const { embedding } = await ears.hear(waveform, { hears: 'caller' });
    const [below = NaN, above = NaN] = embedding?.vector ?? [];
    const leftDb = 10 * Math.log10(above / below);
    t.comment(`energy above 4 kHz against that below: ${leftDb.toFixed(1)} dB`);
    t.ok(below > 0.999 && leftDb < -40, `${leftDb} dB`);

    // The same samples taken for 16 kHz would sound an octave higher, and fill the upper half.
    const speech = keptSpeech(waveform, await activity.detect(waveform));
    const { vector } = await createEmbedder(pool, card).embed(speech, 1);
    t.ok((vector[1] ?? 0) > 100 * above, 'so the network can tell');
  },
);

void t.test('the speech a model of 16 kHz is given is as long and as loud as what was said', async (t) => {
  const [caller] = fixtureCallers();
  const bytes = fixture(caller?.verify[0]?.file ?? '');
  const { waveform } = await decodeAudio(bytes, { targetRateHz: 8000, limits });
  const raised = await resample(waveform.samples, 8000, 16_000);
  t.equal(raised.length, 2 * waveform.samples.length);
  const level = (samples: Float32Array): number =>
    Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  t.ok(Math.abs(20 * Math.log10(level(raised) / level(waveform.samples))) < 0.1);
});
