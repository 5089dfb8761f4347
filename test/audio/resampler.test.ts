import t from 'tap';
import { Resampler } from '../../src/audio/resampler.js';
import { seeded, tone } from './made-audio.js';

const usualRatesHz = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
const pairs = [8000, 16000].flatMap((out) =>
  usualRatesHz.filter((rate) => rate !== out).flatMap((rate) => [[rate, out] as const, [out, rate] as const]),
);

function whole(samples: Float32Array, inRateHz: number, outRateHz: number): Float32Array {
  const resampler = new Resampler(inRateHz, outRateHz);
  resampler.accept(samples);
  resampler.finish();
  return resampler.read();
}

/** Level of the middle half against a full-scale sine, dB: the ends hear the silence around. */
function middleDb(samples: Float32Array, expected: (i: number) => number = () => 0): number {
  const from = samples.length >> 2;
  const to = samples.length - from;
  let sum = 0;
  for (let i = from; i < to; i++) sum += (samples[i]! - expected(i)) ** 2;
  return 10 * Math.log10((2 * sum) / (to - from) + 1e-20);
}

for (const [inRateHz, outRateHz] of pairs) {
  const bandHz = Math.min(inRateHz, outRateHz) / 2;

  void t.test(
    `${inRateHz} to ${outRateHz} Hz passes 90 % of the band within 0.1 dB and adds nothing above -60 dB`,
    async (t) => {
      let rippleDb = 0;
      let residueDb = -Infinity;
      for (let step = 0; step <= 12; step++) {
        const hz = bandHz * (0.02 + (0.88 * step) / 12);
        const out = whole(tone(hz, 0.3, inRateHz, 1), inRateHz, outRateHz);
        rippleDb = Math.max(rippleDb, Math.abs(middleDb(out)));
        // Against the exact sine: images, aliases and any delay are all in the difference.
        const exact = (i: number): number => Math.sin((2 * Math.PI * hz * i) / outRateHz);
        residueDb = Math.max(residueDb, middleDb(out, exact));
      }
      t.comment(`ripple ${rippleDb.toFixed(4)} dB, difference from the exact sine ${residueDb.toFixed(1)} dB`);
      t.ok(rippleDb <= 0.1);
      t.ok(residueDb <= -60);
    },
  );

  if (inRateHz > outRateHz) {
    void t.test(`${inRateHz} to ${outRateHz} Hz stops what lies above the new band by 60 dB`, async (t) => {
      let aliasDb = -Infinity;
      for (let step = 0; step <= 24; step++) {
        const hz = bandHz + ((inRateHz / 2 - bandHz) * step) / 24.01;
        aliasDb = Math.max(aliasDb, middleDb(whole(tone(hz, 0.3, inRateHz, 1), inRateHz, outRateHz)));
      }
      t.comment(`loudest alias ${aliasDb.toFixed(1)} dB`);
      t.ok(aliasDb <= -60);
    });
  }

  void t.test(`${inRateHz} to ${outRateHz} Hz gives the same bits however the input is cut`, async (t) => {
    const next = seeded(inRateHz + outRateHz);
    const samples = Float32Array.from({ length: 5000 }, () => next() / 2 ** 31 - 1);
    const once = whole(samples, inRateHz, outRateHz);
    const resampler = new Resampler(inRateHz, outRateHz);
    const pieces: number[] = [];
    for (let from = 0; from < samples.length;) {
      const length = next() % 400;
      resampler.accept(samples.subarray(from, from + length));
      if (next() % 2 === 0) pieces.push(...resampler.read());
      from += length;
    }
    resampler.finish();
    pieces.push(...resampler.read());
    t.same(Float32Array.from(pieces), once);
    t.equal(once.length, Math.round((samples.length * outRateHz) / inRateHz));
  });
}

void t.test('no sample is lost or invented for any length', async (t) => {
  for (const length of [0, 1, 2, 3, 79, 80, 81, 440, 441, 1000]) {
    for (const [from, to] of [
      [44100, 8000],
      [8000, 16000],
      [16000, 8000],
      [11025, 16000],
    ] as const) {
      const out = whole(new Float32Array(length).fill(0.25), from, to);
      t.equal(out.length, Math.round((length * to) / from), `${length} samples of ${from} Hz at ${to} Hz`);
    }
  }
});

void t.test('a constant stays what it was, and a click stays where it was', async (t) => {
  const constant = whole(new Float32Array(44100).fill(0.5), 44100, 8000);
  t.ok(constant.subarray(1000, 7000).every((sample) => Math.abs(sample - 0.5) < 1e-6));
  const click = new Float32Array(48000);
  click[24000] = 1;
  const heard = whole(click, 48000, 8000);
  t.equal(heard.indexOf(Math.max(...heard)), 4000);
});

void t.test('the same rate is passed through unchanged', async (t) => {
  const samples = tone(440, 0.1, 8000);
  t.same(whole(samples, 8000, 8000), samples);
});

void t.test('rates outside 4 to 192 kHz, crooked ones and fractions are refused by name', async (t) => {
  for (const rate of [0, 3999, 192001, 8001, 22255, 8000.5, NaN, Infinity]) {
    t.throws(() => new Resampler(rate, 8000), { code: 'audio_rate_unsupported' }, `${rate} Hz`);
  }
  for (const rate of [4000, 5512, 7350, 9600, 11000, 37800, 88200, 96000, 176400, 192000]) {
    t.doesNotThrow(() => new Resampler(rate, 8000), `${rate} Hz`);
  }
});

void t.test('nothing is accepted after the end', async (t) => {
  const resampler = new Resampler(16000, 8000);
  resampler.finish();
  resampler.finish();
  t.equal(resampler.read().length, 0);
  t.throws(() => resampler.accept(new Float32Array(1)));
});
