import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openEars } from '../../bench/activity.js';
import { devFiles } from '../../bench/activity-files.js';
import { seededRandom, withNoise } from '../../bench/activity-noise.js';
import { openSilero } from '../../bench/activity-silero.js';
import { loadActivityCard } from '../../src/audio/activity-card.js';
import { secondsOf, sileroSpanRules, speechSpans } from '../../src/audio/activity-spans.js';
import { VoicegateError } from '../../src/errors.js';
import { modelsDir, rootDir } from '../../src/paths.js';

const speechDir = process.env.VOICEGATE_SPEECH_DIR ?? join(rootDir, '..', 'shared', 'speech');
const skip = existsSync(join(speechDir, 'dev')) ? false : 'needs the speech folder';
const sampleRateHz = 8000;
const hop = 80;

/** Probabilities of 10 ms windows from [value, ms] pieces. */
const windows = (...pieces: readonly (readonly [number, number])[]): number[] =>
  pieces.flatMap(([value, ms]) => Array<number>(ms / 10).fill(value));
const spansOf = (probabilities: number[]) =>
  speechSpans(probabilities, hop, probabilities.length * hop, sampleRateHz).map(
    ({ startSample, endSample }) => [startSample / 8, endSample / 8] as const,
  );

void t.test('A span goes from the rise to the fall, padded by 30 ms', async (t) => {
  t.same(spansOf(windows([0, 500], [0.9, 400], [0, 500])), [[470, 930]]);
});

void t.test('Between the two thresholds nothing begins and nothing ends', async (t) => {
  t.same(spansOf(windows([0.45, 500], [0, 500])), []);
  t.same(spansOf(windows([0, 500], [0.9, 200], [0.4, 300], [0, 500])), [[470, 1030]]);
});

void t.test('A fall of less than 100 ms is bridged, a longer one parts two spans', async (t) => {
  t.same(spansOf(windows([0, 100], [1, 300], [0, 90], [1, 300], [0, 200])), [[70, 820]]);
  t.same(spansOf(windows([0, 100], [1, 300], [0, 150], [1, 300], [0, 200])), [
    [70, 430],
    [520, 880],
  ]);
});

void t.test('Speech of 250 ms or less is dropped', async (t) => {
  t.same(spansOf(windows([0, 100], [1, 250], [0, 200], [1, 260], [0, 200])), [[520, 840]]);
});

void t.test('Padding stays inside the recording, and speech at its end is kept to the last sample', async (t) => {
  t.same(spansOf(windows([1, 400])), [[0, 400]]);
  const found = speechSpans(windows([1, 400]), hop, 400 * 8 - 33, sampleRateHz);
  t.same(found, [{ startSample: 0, endSample: 400 * 8 - 33 }]);
  t.equal(secondsOf(found, sampleRateHz), (400 * 8 - 33) / 8000);
});

void t.test('Spans never touch with the default rules', async (t) => {
  t.ok(sileroSpanRules.minPauseMs > 2 * sileroSpanRules.padMs);
  t.same(speechSpans([], hop, 0, sampleRateHz), []);
});

void t.test('The network behind the pool', async (t) => {
  const { pool, detector } = await openEars(1);
  t.teardown(() => pool.close());
  const detect = (samples: Float32Array) => detector.detect({ samples, sampleRateHz });

  await t.test('Silence, noise and tones are no speech; neither is nothing at all', async (t) => {
    const random = seededRandom(1);
    const seconds = 4 * sampleRateHz;
    const tone = (n: number): number =>
      0.1 * (Math.sin((2 * Math.PI * 770 * n) / 8000) + Math.sin((2 * Math.PI * 1336 * n) / 8000));
    const signals: Record<string, Float32Array> = {
      'digital silence': new Float32Array(seconds),
      'white noise': Float32Array.from({ length: seconds }, () => 0.1 * (random() - 0.5)),
      'a key held down': Float32Array.from({ length: seconds }, (_, n) => tone(n)),
      'key presses': Float32Array.from({ length: seconds }, (_, n) => (n % 4000 < 1200 ? tone(n) : 0)),
      'one sample': new Float32Array(1),
      nothing: new Float32Array(0),
    };
    for (const [name, samples] of Object.entries(signals)) {
      t.equal((await detect(samples)).netSpeechSeconds, 0, name);
    }
  });

  await t.test('Another rate is refused with the rate that would be right', async (t) => {
    const waveform = { samples: new Float32Array(16_000), sampleRateHz: 16_000 };
    await t.rejects(detector.detect(waveform), { code: 'audio_rate_unsupported', details: { neededRateHz: 8000 } });
  });

  await t.test('Net speech agrees with Silero VAD within 10 %, clean and in noise', { skip }, async (t) => {
    const silero = await openSilero();
    t.teardown(() => silero.close());
    for (const list of ['ivr-digits', 'zh-digits', 'digits-zh-phone']) {
      const files = (await devFiles(speechDir, list, 16)).map((file) => file.samples);
      const random = seededRandom(2);
      const spansBySilero = async (recordings: readonly Float32Array[]) =>
        (await silero.probabilities(recordings)).map((p, i) =>
          speechSpans(p, silero.hopSamples, recordings[i]?.length ?? 0, 8000),
        );
      const spoken = await spansBySilero(files);
      const noisy = files.map((samples, i) => withNoise(samples, spoken[i] ?? [], 'pink', 10, files, random));
      for (const [condition, recordings] of [
        ['clean', files],
        ['pink noise at 10 dB', noisy],
      ] as const) {
        let ours = 0;
        for (const samples of recordings) ours += (await detect(samples)).netSpeechSeconds;
        const theirs = (await spansBySilero(recordings)).reduce((sum, spans) => sum + secondsOf(spans, 8000), 0);
        t.ok(
          Math.abs(ours / theirs - 1) < 0.1,
          `${list}, ${condition}: ${ours.toFixed(1)} s, Silero ${theirs.toFixed(1)} s`,
        );
      }
    }
  });

  await t.test('A call 25 dB quieter has as much speech, within 3 %', { skip }, async (t) => {
    const files = await devFiles(speechDir, 'ivr-digits', 8);
    let [loud, quiet] = [0, 0];
    for (const { samples } of files) {
      loud += (await detect(samples)).netSpeechSeconds;
      quiet += (await detect(samples.map((sample) => sample * 10 ** (-25 / 20)))).netSpeechSeconds;
    }
    t.ok(Math.abs(quiet / loud - 1) < 0.03, `${quiet.toFixed(2)} s and ${loud.toFixed(2)} s`);
  });
});

void t.test('A card that does not fit is refused with the field that is wrong', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'voicegate-card-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await t.rejects(loadActivityCard(folder), { code: 'model_invalid' });
  const card = await loadActivityCard(join(modelsDir, 'activity-8k'));
  await writeFile(join(folder, 'card.json'), JSON.stringify({ ...card, hopSamples: 0 }));
  await t.rejects(loadActivityCard(folder), { code: 'model_invalid', details: { field: 'hopSamples' } });
  await writeFile(join(folder, 'card.json'), JSON.stringify(card));
  await t.rejects(loadActivityCard(folder), VoicegateError, 'a card in a folder of another name');
});
