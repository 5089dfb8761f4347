import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { openEars } from '../../bench/activity.js';
import { seededRandom } from '../../bench/activity-noise.js';
import { SpanTracker, speechSpans, type SettledRun } from '../../src/audio/activity-spans.js';
import { ActivityStream } from '../../src/audio/activity-stream.js';
import { loadActivityCard } from '../../src/audio/activity-card.js';
import { assessQuality } from '../../src/audio/quality.js';
import { SpeechTrack, trackOf } from '../../src/audio/speech-track.js';
import type { SpeechWindow } from '../../src/audio/speech-windows.js';
import type { SampleSpan } from '../../src/audio/waveform.js';
import { modelsDir } from '../../src/paths.js';
import { callerCall } from './made-call.js';

const sampleRateHz = 8000;
const hopSamples = 256;
const joined = (spans: readonly SampleSpan[]): SampleSpan[] => {
  const whole: SampleSpan[] = [];
  for (const { startSample, endSample } of spans) {
    const last = whole.at(-1);
    if (last?.endSample === startSample) whole[whole.length - 1] = { ...last, endSample };
    else whole.push({ startSample, endSample });
  }
  return whole;
};
const digest = ({ samples, ...window }: SpeechWindow) => ({
  ...window,
  sha256: createHash('sha256').update(new Uint8Array(samples.slice().buffer)).digest('hex'),
});

void t.test(
  'Runs are settled without gaps, in time, and are those of the whole however the probabilities come',
  async (t) => {
    const random = seededRandom(21);
    for (let round = 0; round < 200; round++) {
      const windows = Math.floor(random() * 200);
      let level = random();
      const probabilities = Array.from({ length: windows }, () => {
        if (random() < 0.15) level = random();
        return Math.min(1, Math.max(0, level + 0.3 * (random() - 0.5)));
      });
      const total = Math.max(0, windows * hopSamples - Math.floor(random() * hopSamples));
      const tracker = new SpanTracker(hopSamples, sampleRateHz);
      const runs: SettledRun[] = [];
      for (let at = 0; at < windows;) {
        const next = Math.min(windows, at + 1 + Math.floor(random() * 5));
        tracker.accept(probabilities.slice(at, next));
        at = next;
        if (at === windows) continue;
        runs.push(...tracker.read());
        t.ok(at * hopSamples - (runs.at(-1)?.endSample ?? 0) <= 1.35 * sampleRateHz, 'settled within 1.35 s');
      }
      tracker.finish(total);
      runs.push(...tracker.read());
      t.ok(
        runs.every((run, i) => run.startSample === (runs[i - 1]?.endSample ?? 0) && run.endSample > run.startSample),
      );
      t.equal(runs.at(-1)?.endSample ?? 0, total);
      const spans = speechSpans(probabilities, hopSamples, total, sampleRateHz);
      const spoken = new Uint8Array(total);
      for (const { startSample, endSample, isSpeech } of runs) if (isSpeech) spoken.fill(1, startSample, endSample);
      const wanted = new Uint8Array(total);
      for (const { startSample, endSample } of spans) wanted.fill(1, startSample, endSample);
      t.ok(Buffer.compare(spoken, wanted) === 0, `round ${round}`);
    }
  },
);

void t.test('The network behind the pool', async (t) => {
  const { pool, detector } = await openEars(1);
  t.teardown(() => pool.close());
  const card = await loadActivityCard(join(modelsDir, 'activity-8k'));
  const samples = await callerCall();

  const inPieces = async (signal: Float32Array, seed: number) => {
    const random = seededRandom(seed);
    const stream = new ActivityStream(pool, card);
    const track = new SpeechTrack(sampleRateHz);
    const windows: SpeechWindow[] = [];
    const spans: SampleSpan[] = [];
    const hear = async (): Promise<void> => {
      do {
        const runs = await stream.read();
        spans.push(...runs.filter((run) => run.isSpeech));
        track.settle(runs);
        windows.push(...track.readWindows());
      } while (stream.ready);
    };
    for (let at = 0; at < signal.length;) {
      const next = Math.min(signal.length, at + 1 + Math.floor(random() ** 3 * 20_000));
      stream.accept(signal.subarray(at, next));
      track.accept(signal.subarray(at, next));
      at = next;
      if (random() < 0.7) await hear();
    }
    stream.finish();
    await hear();
    track.finish();
    windows.push(...track.readWindows());
    return { spans: joined(spans), windows, report: track.report() };
  };

  await t.test('A stream has the spans of the whole recording', async (t) => {
    for (const length of [samples.length, 40_123, 4096, 257, 64, 63, 0]) {
      const part = samples.subarray(0, length);
      const { spans } = await detector.detect({ samples: part, sampleRateHz });
      t.same((await inPieces(part, length)).spans, spans, `${length} samples`);
    }
  });

  await t.test('Heard in pieces, the network gives what it gives for the whole', async (t) => {
    const { values } = await pool.run(card.id, samples);
    const { state } = await pool.run(card.id, samples.subarray(0, 35 * 256), undefined, {
      state: null,
      firstUnit: 0,
      endUnit: 30,
    });
    const later = await pool.run(card.id, samples.subarray(25 * 256, 100 * 256), undefined, {
      state,
      firstUnit: 5,
      endUnit: 70,
    });
    t.equal(later.values.length, 65);
    t.ok(later.values.every((p, n) => Math.abs(p - (values[30 + n] ?? NaN)) < 1e-5));
  });

  await t.test('However a call is cut, windows and quality are the same, and those of the file', async (t) => {
    const first = await inPieces(samples, 1);
    t.ok(first.windows.length >= 3, 'a call of several windows');
    for (const seed of [2, 3, 4]) {
      const again = await inPieces(samples, seed);
      t.strictSame(again.report, first.report);
      t.strictSame(again.windows.map(digest), first.windows.map(digest));
    }
    const activity = await detector.detect({ samples, sampleRateHz });
    const whole = trackOf({ samples, sampleRateHz }, activity);
    t.strictSame(whole.readWindows().map(digest), first.windows.map(digest));
    t.strictSame(whole.report(), first.report);
    t.same(assessQuality({ samples, sampleRateHz }, activity), first.report);
    t.equal(activity.netSpeechSeconds, first.report.netSpeechSeconds);
  });
});
