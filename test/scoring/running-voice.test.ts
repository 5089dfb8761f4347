import t, { type Test } from 'tap';
import { cosine, unit, weightedMean } from '../../src/scoring/cosine.js';
import { RunningVoice } from '../../src/scoring/running-voice.js';

const a = Float32Array.of(3, 0, 0);
const b = Float32Array.of(0, 1, 0);
const near = (t: Test, found: number | null, wanted: number): void =>
  void t.ok(found !== null && Math.abs(found - wanted) < 1e-6, `${found} is ${wanted}`);
const c = Float32Array.of(1, 1, 1);

void t.test('The running mean is the weighted mean of all windows', async (t) => {
  const voice = new RunningVoice();
  t.equal(voice.mean(), null);
  voice.add(a, 2);
  t.same(voice.mean(), unit(a));
  voice.add(b, 1);
  voice.add(c, 0.5);
  t.same(voice.mean(), weightedMean([a, b, c], [2, 1, 0.5]));
  t.same([voice.windows, voice.netSpeechSeconds], [3, 3.5]);
});

void t.test('Each window is compared with the mean of those before it', async (t) => {
  const voice = new RunningVoice();
  voice.add(a, 2);
  t.equal(voice.leastCosine, null);
  voice.add(c, 1);
  near(t, voice.leastCosine, cosine(a, c));
  const before = voice.mean() as Float32Array;
  voice.add(b, 1);
  near(t, voice.leastCosine, Math.min(cosine(a, c), cosine(before, b)));
  voice.add(a, 1);
  near(t, voice.leastCosine, Math.min(cosine(a, c), cosine(before, b)));
});

void t.test('A window without speech, or of another dimension, is refused', async (t) => {
  const voice = new RunningVoice();
  t.throws(() => voice.add(a, 0), RangeError);
  t.throws(() => voice.add(a, NaN), RangeError);
  voice.add(a, 1);
  t.throws(() => voice.add(Float32Array.of(1, 0), 1), RangeError);
});
