import t from 'tap';
import { channelOf } from '../../src/tuning/channel.js';
import { alawTable, mulawTable } from '../../src/audio/g711.js';
import { hasFfmpeg, tone } from '../audio/made-audio.js';
import { near } from '../scoring/seeded-scores.js';

const of = (name: string, samples: Float32Array, seed = 1): Promise<Float32Array> =>
  channelOf(name, 'ffmpeg').apply(samples, seed);
const power = (samples: Float32Array): number => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
const decibels = (ratio: number): number => 10 * Math.log10(ratio);

/** Two seconds of a tone in speech's rhythm: 300 ms on, 200 ms off. */
const rhythm = tone(800, 2, 8000).map((x, at) => (at % 4000 < 2400 ? x : 0));

void t.test('the telephone band lets 1 kHz through and stops 100 Hz', async (t) => {
  const low = tone(100, 1, 8000, 0.2);
  const mixed = tone(1000, 1, 8000, 0.2).map((x, at) => x + low[at]!);
  const found = await of('band', mixed);
  const correlation = (hz: number): number => {
    const wave = tone(hz, 1, 8000, 1);
    return Math.abs(found.reduce((sum, x, at) => sum + x * wave[at]!, 0)) / found.length;
  };
  t.ok(correlation(1000) > 30 * correlation(100));
  near(t, decibels(power(found)), -26, 0.1);
});

void t.test('G.711 leaves only the steps of its law', async (t) => {
  for (const [name, table] of [
    ['g711u', mulawTable],
    ['g711a', alawTable],
  ] as const) {
    const steps = new Set(table);
    t.ok(
      (await of(name, rhythm)).every((x) => steps.has(x)),
      name,
    );
  }
});

void t.test('noise stands at the ratio asked for, and is the same for the same seed only', async (t) => {
  for (const snrDb of [0, 15, 30]) {
    const found = await of(`noise${snrDb}`, rhythm);
    const noise = found.map((x, at) => x - rhythm[at]!);
    // Speech is on for three fifths of the time, its power there is that of the tone.
    near(t, decibels(power(tone(800, 2, 8000)) / power(noise)), snrDb, snrDb === 0 ? 1 : 0.3);
  }
  const [one, again, other] = [
    await of('noise15', rhythm, 4),
    await of('noise15', rhythm, 4),
    await of('noise15', rhythm, 5),
  ];
  t.ok(one.every((x, at) => x === again[at]));
  t.notOk(one.every((x, at) => x === other[at]));
});

void t.test('pink noise loses about 3 dB an octave', async (t) => {
  const speech = tone(800, 4, 8000);
  const noise = (await of('noise10', speech, 9)).map((x, at) => x - speech[at]!);
  const energyAt = (hz: number): number => {
    let sum = 0;
    for (let offset = 0; offset + 2000 <= noise.length; offset += 2000) {
      for (let bin = -4; bin <= 4; bin++) {
        let [re, im] = [0, 0];
        for (let at = 0; at < 2000; at++) {
          const angle = (2 * Math.PI * (hz + 4 * bin) * at) / 8000;
          re += noise[offset + at]! * Math.cos(angle);
          im += noise[offset + at]! * Math.sin(angle);
        }
        sum += re * re + im * im;
      }
    }
    return sum;
  };
  near(t, decibels(energyAt(400) / energyAt(1600)), 6, 2);
});

void t.test('coders give back as many samples that sound alike', { skip: !hasFfmpeg && 'needs ffmpeg' }, async (t) => {
  for (const name of ['gsm', 'opus12', 'opus24']) {
    const found = await of(name, rhythm);
    t.equal(found.length, rhythm.length, name);
    const envelope = (samples: Float32Array): number[] =>
      Array.from({ length: 20 }, (_, at) => Math.sqrt(power(samples.subarray(at * 800, (at + 1) * 800))));
    const [a, b] = [envelope(found), envelope(await of(name === 'gsm' ? 'band' : 'plain', rhythm))];
    const dot = a.reduce((sum, x, at) => sum + x * b[at]!, 0);
    t.ok(dot / Math.sqrt(a.reduce((s, x) => s + x * x, 0) * b.reduce((s, x) => s + x * x, 0)) > 0.97, name);
  }
});

void t.test('a missing coder and a name that is no channel are named', async (t) => {
  await t.rejects(channelOf('gsm', '/nowhere/ffmpeg').apply(rhythm, 1), {
    code: 'audio_decoder_missing',
    message: /channel gsm needs ffmpeg with the encoder libgsm/,
  });
  for (const name of ['g711', 'noise', 'noise99', 'opus5', 'opus99', '']) {
    t.throws(() => channelOf(name, 'ffmpeg'), { code: 'invalid_request' }, name);
  }
});
