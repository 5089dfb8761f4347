import t from 'tap';
import { seededRandom, withNoise, type NoiseKind } from '../../bench/activity-noise.js';
import { assessQuality } from '../../src/audio/quality.js';
import type { SampleSpan, SpeechActivity } from '../../src/audio/waveform.js';

const sampleRateHz = 8000;

/** Speech-like: 140 Hz and its harmonics falling by 6 dB an octave up to `highHz`, in syllables of 0.2 s. Spans of 1.5 s, pauses of 0.8 s. */
function speechLike(highHz: number): { samples: Float32Array; activity: SpeechActivity } {
  const spans: SampleSpan[] = [0, 1, 2].map((index) => ({
    startSample: 6400 + index * 18_400,
    endSample: 18_400 + index * 18_400,
  }));
  const samples = new Float32Array(61_600);
  for (const { startSample, endSample } of spans) {
    for (let n = startSample; n < endSample; n++) {
      let sum = 0;
      for (let k = 1; 140 * k < highHz; k++) sum += Math.sin((2 * Math.PI * 140 * k * n) / sampleRateHz + k * k) / k;
      samples[n] = 0.06 * sum * (1 + 0.8 * Math.sin((2 * Math.PI * 5 * n) / sampleRateHz));
    }
  }
  return { samples, activity: { spans, sampleRateHz, netSpeechSeconds: 4.5 } };
}

const assess = (samples: Float32Array, activity: SpeechActivity) => assessQuality({ samples, sampleRateHz }, activity);

void t.test('The signal-to-noise ratio is found again', async (t) => {
  const { samples, activity } = speechLike(3400);
  const tolerancesDb: Readonly<Record<NoiseKind, number>> = { white: 0.5, pink: 1, babble: 1.5 };
  const random = seededRandom(3);
  const voice = speechLike(3000).samples.filter((sample) => sample !== 0);
  const voices = [0.8, 0.9, 1.1, 1.3].map((rate) =>
    Float32Array.from({ length: 20_000 }, (_, n) => voice[Math.floor(n * rate) % voice.length] as number),
  );
  for (const kind of ['white', 'pink', 'babble'] as const) {
    for (const snrDb of [0, 5, 10, 20, 30]) {
      const noisy = withNoise(samples, activity.spans, kind, snrDb, voices, random);
      const found = assess(noisy, activity).snrDb ?? NaN;
      t.ok(Math.abs(found - snrDb) <= tolerancesDb[kind], `${kind} noise at ${snrDb} dB: ${found.toFixed(2)} dB`);
    }
  }
});

void t.test('Clicks in the pauses and a constant offset are no noise', async (t) => {
  const { samples, activity } = speechLike(3400);
  const noisy = withNoise(samples, activity.spans, 'white', 20, [], seededRandom(4));
  for (let n = 300; n < noisy.length; n += 2900) noisy[n] = 0.9;
  const found =
    assess(
      noisy.map((sample) => sample + 0.1),
      activity,
    ).snrDb ?? NaN;
  t.ok(Math.abs(found - 20) < 1.5, `${found.toFixed(2)} dB`);
});

void t.test('Digital silence is not taken for the noise of a line that has some', async (t) => {
  const { samples, activity } = speechLike(3400);
  const noisy = withNoise(samples, activity.spans, 'white', 15, [], seededRandom(5));
  noisy.fill(0, 0, 6400);
  noisy.fill(0, 20_000, 24_000);
  const found = assess(noisy, activity).snrDb ?? NaN;
  t.ok(Math.abs(found - 15) < 0.5, `${found.toFixed(2)} dB`);
  t.ok((assess(samples, activity).snrDb ?? 0) > 60, 'only digital silence: as good as 16 bits can be');
});

void t.test('Without a pause, or without speech, there is no ratio', async (t) => {
  const { samples, activity } = speechLike(3400);
  const [first] = activity.spans;
  t.ok(first);
  const cut = samples.slice(6400, 18_400);
  const whole = { spans: [{ startSample: 0, endSample: cut.length }], sampleRateHz, netSpeechSeconds: 1.5 };
  t.equal(assess(cut, whole).snrDb, null);
  const nobody = assess(samples, { spans: [], sampleRateHz, netSpeechSeconds: 0 });
  t.match(nobody, { snrDb: null, netSpeechSeconds: 0, bandwidthHz: 0 });
  t.ok(Number.isFinite(nobody.speechLevelDbfs));
  const nothing = assess(new Float32Array(0), { spans: [], sampleRateHz, netSpeechSeconds: 0 });
  t.ok(
    Object.values(nothing).every((value) => value === null || Number.isFinite(value)),
    JSON.stringify(nothing),
  );
});

void t.test('A full-scale sine is at 0 dBFS, and the level is that of the speech, not of the pauses', async (t) => {
  const sine = Float32Array.from({ length: 8000 }, (_, n) => Math.sin((2 * Math.PI * 500 * n) / sampleRateHz));
  const all = { spans: [{ startSample: 0, endSample: 8000 }], sampleRateHz, netSpeechSeconds: 1 };
  t.ok(Math.abs(assess(sine, all).speechLevelDbfs) < 0.01);
  const padded = new Float32Array(40_000);
  padded.set(
    sine.map((sample) => sample / 10),
    16_000,
  );
  const inside = { spans: [{ startSample: 16_000, endSample: 24_000 }], sampleRateHz, netSpeechSeconds: 1 };
  t.ok(Math.abs(assess(padded, inside).speechLevelDbfs + 20) < 0.01);
});

void t.test('Clipping is counted where full scale, or the loudest value of G.711, is reached', async (t) => {
  const activity = { spans: [{ startSample: 0, endSample: 8000 }], sampleRateHz, netSpeechSeconds: 1 };
  const sine = (amplitude: number): Float32Array =>
    Float32Array.from({ length: 8000 }, (_, n) =>
      Math.max(-1, Math.min(1, amplitude * Math.sin((2 * Math.PI * 437 * n) / 8000))),
    );
  t.equal(assess(sine(0.9), activity).clippingShare, 0);
  // |2 sin| ≥ 0.98 for 1 − 2 asin(0.49) / π of the time.
  const expected = 1 - (2 * Math.asin(0.49)) / Math.PI;
  t.ok(Math.abs(assess(sine(2), activity).clippingShare - expected) < 0.01);
  t.ok(
    Math.abs(
      assess(
        sine(2).map((x) => (x * 32124) / 32768),
        activity,
      ).clippingShare - expected,
    ) < 0.05,
    'µ-law',
  );
});

void t.test('The bandwidth is found again, with and without noise', async (t) => {
  for (const highHz of [1000, 2000, 2700, 3400, 3900]) {
    const { samples, activity } = speechLike(highHz);
    const top = 140 * Math.floor((highHz - 1) / 140);
    const quiet = assess(samples, activity).bandwidthHz;
    const noisy = assess(withNoise(samples, activity.spans, 'white', 20, [], seededRandom(6)), activity).bandwidthHz;
    t.ok(Math.abs(quiet - top) <= 200, `up to ${top} Hz: ${quiet} Hz`);
    t.ok(Math.abs(noisy - top) <= 200, `up to ${top} Hz in white noise at 20 dB: ${noisy} Hz`);
  }
});
