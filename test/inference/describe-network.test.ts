import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { describeNetwork } from '../../src/inference/describe-network.js';
import { onnxMetadata } from '../../src/inference/onnx-metadata.js';
import { modelsDir } from '../../src/paths.js';
import { networksDir } from './networks.js';

const file = (name: string): string => join(networksDir, `${name}.onnx`);

void t.test('a network is described by its tensors and its metadata', async (t) => {
  const { metadata, ...tensors } = await describeNetwork(file('titanet'));
  t.same(tensors, {
    inputs: [
      { name: 'audio_signal', type: 'float32', shape: ['N', 80, 'T'] },
      { name: 'length', type: 'int64', shape: ['N'] },
    ],
    outputs: [
      { name: 'logits', type: 'float32', shape: ['N', 1] },
      { name: 'embs', type: 'float32', shape: ['N', 80] },
    ],
  });
  t.match(Object.fromEntries(metadata), {
    framework: 'nemo',
    feat_dim: '80',
    window_size_ms: '25',
    sample_rate: '16000',
  });
  t.equal((await describeNetwork(file('waveform'))).metadata.size, 0);
});

void t.test('metadata behind megabytes of weights is read, and what is no ONNX file has none', async (t) => {
  const bytes = readFileSync(join(modelsDir, 'baseline-8k-80', 'model.onnx'));
  t.match(Object.fromEntries(onnxMetadata(bytes)), { framework: /./, sample_rate: '8000', output_dim: '192' });
  for (const length of [0, 1, 7, 100, bytes.length - 1]) onnxMetadata(bytes.subarray(0, length));
  for (const other of ['', 'RIFF....WAVEfmt ', '\u00ff\u00ff\u00ff\u00ff\u00ff', '<html>']) {
    t.equal(onnxMetadata(Buffer.from(other, 'latin1')).size, 0, other);
  }
});

void t.test('a file that is none, or not there, is refused', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'voicegate-onnx-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'page.onnx');
  writeFileSync(path, '<html>not found</html>');
  await t.rejects(describeNetwork(path), {
    code: 'model_invalid',
    message: /cannot load page\.onnx/,
    hint: /whole ONNX/,
  });
  await t.rejects(describeNetwork(join(dir, 'none.onnx')), {
    code: 'model_invalid',
    message: /none\.onnx cannot be read/,
  });
});
