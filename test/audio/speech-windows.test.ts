import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { defaultKeepRules, keptSpeech, windowKeepRules } from '../../src/audio/kept-speech.js';
import { SpeechWindows, type SpeechWindow, type SpeechWindowRules } from '../../src/audio/speech-windows.js';
import type { SampleSpan } from '../../src/audio/waveform.js';

/** 1000 samples a second, so that a sample is a millisecond; sample n holds n + 1. */
const sampleRateHz = 1000;
const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, n) => n + 1);
const oneWindow: SpeechWindowRules = { windowSeconds: 1000, leastLastSpeechSeconds: 0 };

/** Feeds a recording in pieces of random length (or whole), as speech and pauses. */
function cut(
  samples: Float32Array,
  spans: readonly SampleSpan[],
  rules?: SpeechWindowRules,
  keep = defaultKeepRules,
  random: (() => number) | null = null,
): SpeechWindow[] {
  const windows = new SpeechWindows(sampleRateHz, rules, keep);
  const found: SpeechWindow[] = [];
  const feed = (from: number, to: number, isSpeech: boolean): void => {
    for (let at = from; at < to;) {
      const next = random === null ? to : Math.min(to, at + Math.floor(random() * random() * 700));
      windows.accept(samples.subarray(at, next), isSpeech);
      at = next;
      if (random !== null && random() < 0.5) found.push(...windows.read());
    }
  };
  let at = 0;
  for (const { startSample, endSample } of spans) {
    feed(at, startSample, false);
    feed(startSample, endSample, true);
    at = endSample;
  }
  feed(at, samples.length, false);
  windows.finish();
  return [...found, ...windows.read()];
}

/** In place of a deep comparison, which takes seconds for arrays of this length. */
const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.compare(new Uint8Array(a.slice().buffer), new Uint8Array(b.slice().buffer)) === 0;
const same = (some: readonly SpeechWindow[], others: readonly SpeechWindow[]): boolean =>
  some.length === others.length &&
  some.every((one, i) => {
    const other = others[i];
    return (
      other !== undefined &&
      sameBits(one.samples, other.samples) &&
      JSON.stringify([one.spans, one.netSpeechSeconds]) === JSON.stringify([other.spans, other.netSpeechSeconds])
    );
  });

function randomSpans(random: () => number, total: number): SampleSpan[] {
  const spans: SampleSpan[] = [];
  for (let at = Math.floor(random() * 2500); ;) {
    const endSample = Math.min(total, at + 1 + Math.floor(random() * 3000));
    if (at >= total) return spans;
    spans.push({ startSample: at, endSample });
    at = endSample + 1 + Math.floor(random() * random() * 4000);
  }
}

void t.test('What comes piece by piece keeps the same samples as the rule for whole recordings', async (t) => {
  const random = seededRandom(11);
  const some = [defaultKeepRules, windowKeepRules, { marginSeconds: 0.1, longestPauseSeconds: 0.7 }];
  for (let round = 0; round < 300; round++) {
    const samples = ramp(1 + Math.floor(random() * 20_000));
    const spans = randomSpans(random, samples.length);
    const keep = some[round % some.length] ?? defaultKeepRules;
    const whole = keptSpeech({ samples, sampleRateHz }, { spans, sampleRateHz, netSpeechSeconds: 0 }, keep);
    const [only] = cut(samples, spans, oneWindow, keep, random);
    if (spans.length === 0) t.equal(only, undefined);
    else t.ok(only !== undefined && sameBits(only.samples, whole), `round ${round}`);
  }
});

void t.test('Windows do not depend on how the recording was cut', async (t) => {
  const random = seededRandom(12);
  for (let round = 0; round < 100; round++) {
    const samples = ramp(1 + Math.floor(random() * 60_000));
    const spans = randomSpans(random, samples.length);
    t.ok(same(cut(samples, spans, undefined, undefined, random), cut(samples, spans)), `round ${round}`);
  }
});

void t.test('What was cut stays as it was cut when more follows', async (t) => {
  const samples = ramp(30_000);
  const spans = [{ startSample: 1500, endSample: 29_000 }];
  const whole = cut(samples, spans);
  const earlier = cut(samples.subarray(0, 20_000), [{ startSample: 1500, endSample: 20_000 }]);
  t.ok(whole.length === 5 && same(earlier.slice(0, 3), whole.slice(0, 3)));
});

void t.test('A window says how much of it is speech, and where', async (t) => {
  const [only, ...others] = cut(ramp(5000), [
    { startSample: 2000, endSample: 2500 },
    { startSample: 3000, endSample: 3800 },
  ]);
  t.equal(others.length, 0);
  t.equal(only?.netSpeechSeconds, 1.3);
  t.same(only?.spans, [
    { startSample: 1000, endSample: 1500 },
    { startSample: 2000, endSample: 2800 },
  ]);
});

void t.test('A last window with little speech is left out, unless it is the only one', async (t) => {
  const lengths = (spoken: number) =>
    cut(ramp(spoken + 5000), [{ startSample: 1000, endSample: 1000 + spoken }]).map((one) => one.samples.length);
  // With the margins 6.3 s are kept, of which the last window would hold none of the speech.
  t.same(lengths(4300), [6000]);
  t.same(lengths(5900), [6000]);
  t.same(lengths(6100), [6000, 2100]);
  t.same(lengths(200), [2200]);
});

void t.test('Nobody speaks: there are no windows', async (t) => {
  t.same(cut(ramp(9000), []), []);
});
