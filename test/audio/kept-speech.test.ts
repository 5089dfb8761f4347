import t from 'tap';
import { keptSpeech, voiceWindows, windowKeepRules } from '../../src/audio/kept-speech.js';
import type { SpeechActivity, Waveform } from '../../src/audio/waveform.js';

/** 1000 samples a second, so that a sample is a millisecond; sample n holds n. */
const sampleRateHz = 1000;
const ramp = (length: number): Waveform => ({ samples: Float32Array.from({ length }, (_, n) => n), sampleRateHz });
const spoken = (...spans: readonly (readonly [number, number])[]): SpeechActivity => ({
  spans: spans.map(([startSample, endSample]) => ({ startSample, endSample })),
  sampleRateHz,
  netSpeechSeconds: 0,
});
const rules = { marginSeconds: 0.1, longestPauseSeconds: 0.3 };
/** Runs of consecutive samples, as [first, last + 1]. */
function runs(samples: Float32Array): number[][] {
  const found: number[][] = [];
  for (const sample of samples) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === sample) last[1] = sample + 1;
    else found.push([sample, sample + 1]);
  }
  return found;
}

void t.test('Ends are trimmed to a margin that stays inside the recording', async (t) => {
  t.same(runs(keptSpeech(ramp(2000), spoken([500, 900]), rules)), [[400, 1000]]);
  t.same(runs(keptSpeech(ramp(950), spoken([50, 900]), rules)), [[0, 950]]);
});

void t.test('Pauses up to the limit stay as they are, longer ones lose their middle', async (t) => {
  t.same(runs(keptSpeech(ramp(2000), spoken([500, 900], [1200, 1500]), rules)), [[400, 1600]]);
  t.same(runs(keptSpeech(ramp(4000), spoken([500, 900], [2000, 2500], [3000, 3300]), rules)), [
    [400, 1050],
    [1850, 2650],
    [2850, 3400],
  ]);
});

void t.test('Nobody speaks: nothing is kept', async (t) => {
  t.equal(keptSpeech(ramp(2000), spoken()).length, 0);
});

void t.test('The caller keeps its samples, and nothing is copied where nothing is cut out', async (t) => {
  const waveform = ramp(3000);
  t.equal(keptSpeech(waveform, spoken([1000, 2000]), rules).buffer, waveform.samples.buffer);
  t.same(waveform.samples, ramp(3000).samples);
});

void t.test('By default a second is kept around speech', async (t) => {
  t.same(runs(keptSpeech(ramp(9000), spoken([2000, 3000], [5000, 6000]))), [
    [1000, 3500],
    [4500, 7000],
  ]);
  t.same(runs(keptSpeech(ramp(9000), spoken([2000, 3000], [5000, 6000]), windowKeepRules)), [
    [1800, 3150],
    [4850, 6200],
  ]);
});

void t.test('Windows are equal, cover the speech once, and are at least two', async (t) => {
  const { samples } = ramp(7001);
  const windows = voiceWindows(samples, sampleRateHz, { leastSeconds: 1.5, mostWindows: 4 });
  t.same(
    windows.map((window) => window.length),
    [1750, 1750, 1750, 1751],
  );
  t.same(
    windows.flatMap((window) => runs(window)),
    [
      [0, 1750],
      [1750, 3500],
      [3500, 5250],
      [5250, 7001],
    ],
  );
});

void t.test('Speech too short for two windows is not cut', async (t) => {
  t.same(voiceWindows(ramp(2999).samples, sampleRateHz, { leastSeconds: 1.5, mostWindows: 4 }), []);
  t.equal(voiceWindows(ramp(3000).samples, sampleRateHz, { leastSeconds: 1.5, mostWindows: 4 }).length, 2);
});
