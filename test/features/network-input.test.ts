import t from 'tap';
import type { KaldiFbankFrontEnd, NemoMelFrontEnd } from '../../src/features/front-end.js';
import { createNetworkInput } from '../../src/features/network-input.js';
import { normaliseFrames } from '../../src/features/normalisation.js';
import { goldenSignal } from './signal.js';

const kaldi: KaldiFbankFrontEnd = {
  kind: 'kaldi-fbank',
  sampleRateHz: 8000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  window: 'povey',
  preEmphasis: 0.97,
  removeDcOffset: true,
  snipEdges: true,
  melBins: 24,
  lowHz: 100,
  highHz: -400,
  sampleScale: 1,
  energyFloor: 2 ** -23,
  normalisation: 'none',
};
const nemo: NemoMelFrontEnd = {
  kind: 'nemo-mel',
  sampleRateHz: 16000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  window: 'hann',
  fftSize: 512,
  preEmphasis: 0.97,
  melBins: 40,
  lowHz: 0,
  highHz: 8000,
  logOffset: 2 ** -24,
  padFramesTo: 16,
  normalisation: 'per-feature',
};

void t.test('energies below the floor are raised to it', (t) => {
  const { values } = createNetworkInput({ ...kaldi, energyFloor: 0.5 })(new Float32Array(800));
  t.ok(values.every((value) => Math.abs(value - Math.log(0.5)) < 1e-6));
  t.end();
});

void t.test('the sample scale shifts every log energy by twice its logarithm', (t) => {
  const signal = goldenSignal(8000, 0.2).subarray(0, 1200);
  const plain = createNetworkInput(kaldi)(signal);
  const scaled = createNetworkInput({ ...kaldi, sampleScale: 32768 })(signal);
  const shift = 2 * Math.log(32768);
  t.ok(plain.values.every((value, index) => Math.abs((scaled.values[index] ?? NaN) - value - shift) < 1e-4));
  t.end();
});

void t.test('a NeMo input is padded with zero frames to the multiple asked for, its valid frames counted', (t) => {
  const make = createNetworkInput(nemo);
  for (const [samples, valid, padded] of [
    [16000, 100, 112],
    [2400, 15, 16],
    [2560, 16, 32],
    [160, 1, 16],
  ] as const) {
    const input = make(goldenSignal(16000, 1.2).subarray(0, samples));
    t.same([input.validFrames, input.frames, input.values.length], [valid, padded, padded * 40]);
    t.ok(input.values.subarray(valid * 40).every((value) => value === 0));
  }
  t.same(make(new Float32Array(159)).frames, 0);
  t.end();
});

void t.test('a waveform model gets the samples as they are, times its scale', (t) => {
  const samples = Float32Array.of(0, 0.25, -0.5);
  const plain = createNetworkInput({ kind: 'waveform', sampleRateHz: 16000, sampleScale: 1 })(samples);
  t.same([...plain.values], [0, 0.25, -0.5]);
  t.same([plain.frames, plain.bins, plain.validFrames], [3, 1, 3]);
  const scaled = createNetworkInput({ kind: 'waveform', sampleRateHz: 16000, sampleScale: 32768 })(samples);
  t.same([...scaled.values], [0, 8192, -16384]);
  t.same([...samples], [0, 0.25, -0.5], 'the caller’s samples are untouched');
  t.end();
});

void t.test('normalisation works over each bin of the utterance', (t) => {
  const rows = (): Float32Array => Float32Array.of(1, 10, 2, 20, 3, 60);
  const kept = rows();
  normaliseFrames(kept, 2, 'none');
  t.same(kept, rows());
  const centred = rows();
  normaliseFrames(centred, 2, 'global-mean');
  t.same([...centred], [-1, -20, 0, -10, 1, 30]);
  const scaled = rows();
  normaliseFrames(scaled, 2, 'per-feature');
  const deviation = Math.sqrt((400 + 100 + 900) / 2) + 1e-5;
  [-1 / (1 + 1e-5), -20 / deviation, 0, -10 / deviation, 1 / (1 + 1e-5), 30 / deviation].forEach((wanted, index) =>
    t.ok(Math.abs((scaled[index] ?? NaN) - wanted) < 1e-6),
  );
  const single = Float32Array.of(5, 7);
  normaliseFrames(single, 2, 'per-feature');
  t.same([...single], [0, 0]);
  t.end();
});

void t.test('front-ends whose numbers do not fit together are refused with the reason', (t) => {
  t.throws(() => createNetworkInput({ ...kaldi, lowHz: 3700 }), { name: 'RangeError', message: /3700 to 3600 Hz/ });
  t.throws(() => createNetworkInput({ ...kaldi, highHz: 5000 }), { name: 'RangeError', message: /4000 Hz/ });
  t.throws(() => createNetworkInput({ ...kaldi, melBins: 250 }), { name: 'RangeError', message: /holds no bin/ });
  t.throws(() => createNetworkInput({ ...kaldi, sampleRateHz: 48_000, frameLengthMs: 50 }), {
    message: /transform of 4096/,
  });
  t.throws(() => createNetworkInput({ ...nemo, fftSize: 500 }), { name: 'RangeError', message: /power of two/ });
  t.throws(() => createNetworkInput({ ...nemo, fftSize: 256 }), { name: 'RangeError', message: /400 samples/ });
  t.end();
});
