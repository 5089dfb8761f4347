import { join } from 'node:path';
import t from 'tap';
import { describeNetwork, type NetworkDescription } from '../../src/inference/describe-network.js';
import { fitNetwork } from '../../src/models/fit-network.js';
import { networksDir } from '../inference/networks.js';

const described = (name: string): Promise<NetworkDescription> => describeNetwork(join(networksDir, `${name}.onnx`));

/** A file that says nothing but its tensors. */
function silent(shape: (number | string)[], outputs: NetworkDescription['outputs'] = [embedding()]): NetworkDescription {
  return { inputs: [{ name: 'in', type: 'float32', shape }], outputs, metadata: new Map() };
}

function embedding(name = 'emb', shape: (number | string)[] = ['N', 192]): NetworkDescription['outputs'][number] {
  return { name, type: 'float32', shape };
}

void t.test('tensor names, order of axes, bins, rate and length are taken from the file', async (t) => {
  t.match(fitNetwork(await described('wespeaker'), 'wespeaker'), {
    frontEnd: { kind: 'kaldi-fbank', window: 'hamming', sampleScale: 32768, melBins: 80, sampleRateHz: 16_000 },
    input: { name: 'feats', layout: 'time-bins', lengthName: null },
    outputName: 'embs',
    dimension: 80,
  });
  t.match(fitNetwork(await described('3d-speaker'), '3d-speaker'), {
    frontEnd: { window: 'povey', sampleScale: 1, normalisation: 'global-mean' },
    input: { name: 'x', layout: 'time-bins', lengthName: null },
    outputName: 'embedding',
  });
  t.match(fitNetwork(await described('titanet'), 'nemo'), {
    frontEnd: { kind: 'nemo-mel', fftSize: 512, melBins: 80, frameLengthMs: 25, padFramesTo: 16 },
    input: { name: 'audio_signal', layout: 'bins-time', lengthName: 'length' },
    outputName: 'embs',
  });
  t.match(fitNetwork(await described('waveform'), 'waveform'), {
    frontEnd: { kind: 'waveform', sampleRateHz: 16_000 },
    input: { name: 'wav', layout: 'samples', lengthName: null },
    dimension: 4,
  });
});

void t.test('the file’s own numbers go before those of the family', async (t) => {
  t.equal(fitNetwork(silent(['N', 'T', 40]), 'wespeaker').frontEnd.kind, 'kaldi-fbank');
  t.match(fitNetwork(silent(['N', 'T', 40]), 'wespeaker'), { frontEnd: { melBins: 40 }, input: { layout: 'time-bins' } });
  t.match(fitNetwork(silent(['N', 64, 'T']), '3d-speaker'), { frontEnd: { melBins: 64 }, input: { layout: 'bins-time' } });
  t.match(fitNetwork(silent([]), 'nemo'), { frontEnd: { melBins: 80 }, input: { layout: 'bins-time' } });
  const metadata = new Map([
    ['sample_rate', '8000'],
    ['feat_dim', '64'],
    ['window_size_ms', '20'],
    ['output_dim', '96'],
  ]);
  t.match(fitNetwork({ ...silent([], [embedding('embs', ['N', 'D'])]), metadata }, 'nemo'), {
    frontEnd: { sampleRateHz: 8000, melBins: 64, frameLengthMs: 20, frameShiftMs: 10, fftSize: 256 },
    dimension: 96,
  });
  const asFloats = new Map([['normalize_samples', '1']]);
  t.match(fitNetwork({ ...silent(['N', 'T', 80]), metadata: asFloats }, 'wespeaker'), { frontEnd: { sampleScale: 1 } });
  t.match(fitNetwork(silent(['N', 'S']), 'waveform', { sampleRateHz: 8000 }), { frontEnd: { sampleRateHz: 8000 } });
});

void t.test('where several outputs could be the embedding, it is named', async (t) => {
  const two = silent(['N', 'S'], [embedding('a'), embedding('b', ['N', 256])]);
  t.throws(() => fitNetwork(two, 'waveform'), { code: 'model_invalid', message: /which output is the embedding/, hint: /outputs a float32 \[N, 192\], b/ });
  t.match(fitNetwork(two, 'waveform', { outputName: 'b' }), { outputName: 'b', dimension: 256 });
  t.throws(() => fitNetwork(two, 'waveform', { outputName: 'c' }), { code: 'model_invalid' });
});

void t.test('a file that is not of the family is refused with a list of what it has', async (t) => {
  const refusals: [NetworkDescription, Parameters<typeof fitNetwork>[1], RegExp][] = [
    [await described('wespeaker'), '3d-speaker', /metadata says that it is of wespeaker/],
    [await described('titanet'), 'wespeaker', /metadata says that it is of nemo/],
    [await described('waveform'), 'wespeaker', /should have 3 axes \(time-bins\)/],
    [await described('frames'), 'waveform', /should have 2 axes \(samples\)/],
    [await described('double'), 'waveform', /one tensor of 32-bit floats/],
    [{ ...silent([]), inputs: [] }, 'nemo', /one tensor of 32-bit floats/],
    [{ ...silent([]), inputs: [...silent([]).inputs, ...silent([]).inputs] }, 'nemo', /one tensor of 32-bit floats/],
  ];
  for (const [found, family, message] of refusals) {
    t.throws(() => fitNetwork(found, family), { code: 'model_invalid', message, hint: /The file has inputs .*; outputs / });
  }
  const wrongRate = { sampleRateHz: 8000 };
  t.throws(() => fitNetwork({ ...silent(['N', 'T', 80]), metadata: new Map([['sample_rate', '16000']]) }, 'wespeaker', wrongRate), {
    message: /says 16000 Hz, not 8000/,
    hint: /metadata sample_rate 16000/,
  });
});
