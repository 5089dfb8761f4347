import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrontEnd } from '../../src/features/front-end.js';
import type { NetworkSpec } from '../../src/inference/network.js';
import { rootDir } from '../../src/paths.js';

/** The tiny networks that make_networks.py writes. */
export const networksDir = join(rootDir, 'test', 'inference', 'networks');

export const kaldi24: FrontEnd = {
  kind: 'kaldi-fbank',
  sampleRateHz: 8000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  window: 'hamming',
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

export const nemo32: FrontEnd = {
  kind: 'nemo-mel',
  sampleRateHz: 16000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  window: 'hann',
  fftSize: 512,
  preEmphasis: 0.97,
  melBins: 32,
  lowHz: 0,
  highHz: 8000,
  logOffset: 2 ** -24,
  padFramesTo: 16,
  normalisation: 'per-feature',
};

export const waveform16k: FrontEnd = { kind: 'waveform', sampleRateHz: 16000, sampleScale: 1 };

/** sha256 of a tiny network's file. */
export function sha256Of(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(networksDir, `${name}.onnx`)))
    .digest('hex');
}

/** Specification of a tiny network; `changes` bends it for a test. */
export function network(name: keyof typeof tensors, changes: Partial<NetworkSpec> = {}): NetworkSpec {
  return {
    id: name,
    onnxPath: join(networksDir, `${name}.onnx`),
    sha256: sha256Of(name),
    ...tensors[name],
    ...changes,
  };
}

const samplesIn = { name: 'wav', layout: 'samples', lengthName: null } as const;
const tensors = {
  frames: { frontEnd: kaldi24, input: { name: 'feats', layout: 'time-bins', lengthName: null }, outputName: 'embs' },
  nemo: {
    frontEnd: nemo32,
    input: { name: 'audio_signal', layout: 'bins-time', lengthName: 'length' },
    outputName: 'embs',
  },
  waveform: { frontEnd: waveform16k, input: samplesIn, outputName: 'emb' },
  picky: { frontEnd: waveform16k, input: samplesIn, outputName: 'emb' },
  fixed: { frontEnd: waveform16k, input: samplesIn, outputName: 'emb' },
  double: { frontEnd: waveform16k, input: samplesIn, outputName: 'emb' },
  bands: { frontEnd: waveform16k, input: samplesIn, outputName: 'emb' },
} as const;
