import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import { readCatalogue } from '../../src/models/catalogue.js';
import { listModels } from '../../src/models/list-models.js';
import { waveform16k } from '../inference/networks.js';
import { cardFor, modelFolder } from '../embedding/cards.js';

const catalogue = readCatalogue();
const options = {
  activeModelId: 'baseline-8k-80',
  secondModelId: 'waveform',
  loadScorer: async (_: string, { id }: { id: string }) => {
    if (id !== 'baseline-8k-80') throw new VoicegateError('model_invalid', 'none');
  },
};

void t.test('shipped, installed and known models are listed with what is known of each', async (t) => {
  const dir = modelFolder(t, 'waveform', cardFor('waveform', waveform16k, 4));
  const listed = await listModels(catalogue, { ...options, installedModelsDir: join(dir, '..') });
  const byId = new Map(listed.map((model) => [model.id, model]));
  t.match(byId.get('baseline-8k-80'), {
    state: 'shipped',
    set: 'active',
    calibrated: true,
    frontEnd: 'kaldi-fbank',
    sampleRateHz: 8000,
    dimension: 192,
    figures: /EER 5\.74 % pooled, measured/,
  });
  t.match(byId.get('waveform'), {
    state: 'installed',
    set: 'second',
    calibrated: false,
    frontEnd: 'waveform',
    bytes: Number,
    figures: 'not measured here',
  });
  t.match(byId.get('nemo-titanet-large'), { state: 'known', bytes: null, licence: 'CC-BY-4.0', figures: /0\.66 % .*, claimed/ });
  t.notOk(byId.has('activity-8k'), 'other networks are none of its business');
  t.equal(listed.length, new Set(byId.keys()).size);
});

void t.test('an installed folder that is spoiled is shown with the reason; a catalogued model that is here is listed once', async (t) => {
  const installedModelsDir = mkdtempSync(join(tmpdir(), 'voicegate-list-'));
  t.teardown(() => rmSync(installedModelsDir, { recursive: true }));
  for (const [id, card] of [
    ['redimnet2-b3-lm', '{'],
    ['without-file', JSON.stringify({ ...cardFor('waveform', waveform16k, 4), id: 'without-file' })],
  ] as const) {
    mkdirSync(join(installedModelsDir, id));
    writeFileSync(join(installedModelsDir, id, 'card.json'), card);
  }
  const listed = await listModels(catalogue, { ...options, installedModelsDir });
  t.match(listed.filter((model) => model.id === 'redimnet2-b3-lm'), [{ state: 'unusable', problem: /is not JSON/ }]);
  t.match(listed.find((model) => model.id === 'without-file'), { state: 'unusable', problem: /ONNX file is not there/ });
});
