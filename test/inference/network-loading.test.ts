import t from 'tap';
import type { NetworkSpec } from '../../src/inference/network.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { kaldi24, network, waveform16k } from './networks.js';

const refusals: readonly { title: string; spec: NetworkSpec; message: RegExp; hint?: RegExp }[] = [
  {
    title: 'a file that is not there',
    spec: network('waveform', { onnxPath: '/nowhere/model.onnx' }),
    message: /waveform: model\.onnx cannot be read/,
  },
  {
    title: 'a file with another hash than the card says',
    spec: network('waveform', { sha256: '0'.repeat(64) }),
    message: /sha256 of waveform\.onnx is [0-9a-f]{64}, expected 0{64}/,
    hint: /copy it anew/,
  },
  {
    title: 'an input name that the file does not have',
    spec: network('waveform', { input: { name: 'audio', layout: 'samples', lengthName: null } }),
    message: /no input named audio; its inputs are wav \[N, S\]/,
    hint: /inputs wav \[N, S\] and outputs emb \[N, 4\]/,
  },
  {
    title: 'an output name that the file does not have',
    spec: network('waveform', { outputName: 'embedding' }),
    message: /no output named embedding; its outputs are emb \[N, 4\]/,
  },
  {
    title: 'a length input that the file does not have',
    spec: network('frames', { input: { name: 'feats', layout: 'time-bins', lengthName: 'feats_length' } }),
    message: /no length input named feats_length/,
  },
  {
    title: 'an input of the file that nobody feeds',
    spec: network('nemo', { input: { name: 'audio_signal', layout: 'bins-time', lengthName: null } }),
    message: /nothing is said about its input length/,
  },
  {
    title: 'another number of mel bins than the network takes',
    spec: network('frames', { frontEnd: { ...kaldi24, melBins: 20 } as NetworkSpec['frontEnd'] }),
    message: /feats is \[N, T, 24\], the front-end makes \[1, T, 20\]/,
  },
  {
    title: 'a network that takes one length only',
    spec: network('fixed'),
    message: /wav is \[1, 16000\], the front-end makes \[1, N\]/,
  },
  { title: 'a network of another kind of numbers', spec: network('double'), message: /does not take 32-bit floats/ },
  {
    title: 'a front-end whose numbers do not fit together',
    spec: network('frames', { frontEnd: { ...kaldi24, lowHz: 3900 } as NetworkSpec['frontEnd'] }),
    message: /front-end: mel filters from 3900 to 3600 Hz/,
  },
  {
    title: 'a network that fails on its warm-up',
    spec: network('picky', { frontEnd: { ...waveform16k, sampleRateHz: 11_025 } as NetworkSpec['frontEnd'] }),
    message: /picky: ONNX Runtime refused an input of \[1, 33075\]/,
  },
];

for (const { title, spec, message, hint } of refusals) {
  void t.test(`loading refuses ${title}`, async (t) => {
    const start = startInferencePool({ networks: [spec], workers: 1, queueLimit: 1 });
    await t.rejects(start, { code: 'model_invalid', message, ...(hint === undefined ? {} : { hint }) });
  });
}
