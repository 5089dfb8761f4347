import { readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadModelCard, networkOf } from '../../src/embedding/model-card.js';
import { modelsDir } from '../../src/paths.js';
import { kaldi24, nemo32, waveform16k } from '../inference/networks.js';
import { cardFor, modelFolder } from './cards.js';

void t.test(
  'every speaker model that comes with Voicegate has a valid card with licence, corpora and measured accuracy',
  async (t) => {
    const ofAnotherKind = ['activity-8k', 'digits-8k'];
    const dirs = readdirSync(modelsDir).filter(
      (name) => existsSync(join(modelsDir, name, 'card.json')) && !ofAnotherKind.includes(name),
    );
    t.ok(['baseline-8k-80', 'voicegate-8k-4', 'voicegate-8k-4-int8'].every((name) => dirs.includes(name)));
    for (const name of dirs) {
      const card = await loadModelCard(join(modelsDir, name));
      t.ok(card.measured.lists.length > 0 && card.trainedOn.length > 0 && card.licence.attribution.length > 0, name);
    }
  },
);

void t.test('a card describes Kaldi, NeMo and raw-waveform families', async (t) => {
  for (const card of [
    cardFor('frames', kaldi24, 24),
    cardFor('nemo', nemo32, 32),
    cardFor('waveform', waveform16k, 4),
  ]) {
    const dir = modelFolder(t, card.id, card);
    const loaded = await loadModelCard(dir);
    t.same(loaded, card);
    const { golden, licence, trainedOn, measured, notes, dimension, shortestSeconds, file, ...network } = card;
    t.same(networkOf(loaded, dir), { ...network, onnxPath: join(dir, file) });
    t.ok(golden && licence && trainedOn && measured && notes && dimension && shortestSeconds);
  }
});

const good = cardFor('frames', kaldi24, 24);
const without = (field: keyof typeof good): object =>
  Object.fromEntries(Object.entries(good).filter(([key]) => key !== field));
const refusals: readonly { title: string; card: unknown; field: string; reason: RegExp }[] = [
  { title: 'a missing field', card: without('sha256'), field: 'sha256', reason: /is missing/ },
  {
    title: 'a field it does not know',
    card: { ...good, threshold: 0.5 },
    field: 'threshold',
    reason: /not a field of a card/,
  },
  { title: 'a hash that is none', card: { ...good, sha256: 'ABC' }, field: 'sha256', reason: /pattern/ },
  {
    title: 'a file outside the folder',
    card: { ...good, file: '../other/model.onnx' },
    field: 'file',
    reason: /pattern/,
  },
  { title: 'a dimension out of range', card: { ...good, dimension: 0 }, field: 'dimension', reason: />= 2/ },
  {
    title: 'an id that is not the folder’s name',
    card: { ...good, id: 'other' },
    field: 'id',
    reason: /folder is named frames/,
  },
  {
    title: 'an unknown family',
    card: { ...good, frontEnd: { ...kaldi24, kind: 'mfcc' } },
    field: 'frontEnd.kind',
    reason: /one of kaldi-fbank, nemo-mel, waveform/,
  },
  {
    title: 'an unknown window',
    card: { ...good, frontEnd: { ...kaldi24, window: 'blackman' } },
    field: 'frontEnd.window',
    reason: /one of povey, hamming, hann, rectangular/,
  },
  {
    title: 'a front-end option left out: there are no defaults',
    card: { ...good, frontEnd: Object.fromEntries(Object.entries(kaldi24).filter(([key]) => key !== 'snipEdges')) },
    field: 'frontEnd.snipEdges',
    reason: /is missing/,
  },
  {
    title: 'an option of another family',
    card: { ...good, frontEnd: { ...kaldi24, logOffset: 1e-8 } },
    field: 'frontEnd.logOffset',
    reason: /not a field/,
  },
  {
    title: 'frames for a waveform model',
    card: { ...good, frontEnd: waveform16k },
    field: 'input.layout',
    reason: /time-bins does not go with a front-end of kind waveform/,
  },
  {
    title: 'a shift longer than the frame',
    card: { ...good, frontEnd: { ...kaldi24, frameShiftMs: 30 } },
    field: 'frontEnd.frameShiftMs',
    reason: /longer/,
  },
  { title: 'a number in place of a card', card: '7', field: 'card', reason: /must be object/ },
];

for (const { title, card, field, reason } of refusals) {
  void t.test(`a card is refused for ${title}, and the field is named`, async (t) => {
    const dir = modelFolder(t, 'frames', card);
    await t.rejects(loadModelCard(dir), { code: 'model_invalid', message: reason, details: { field } });
    await t.rejects(loadModelCard(dir), { message: new RegExp(`model frames: ${field.replaceAll('.', '\\.')}: `) });
  });
}

void t.test('a folder without a card, and a card that is not JSON, are refused', async (t) => {
  await t.rejects(loadModelCard(join(modelsDir, 'nowhere')), {
    code: 'model_invalid',
    message: /model nowhere cannot be read/,
  });
  await t.rejects(loadModelCard(modelFolder(t, 'frames', '{"id": ')), {
    code: 'model_invalid',
    message: /is not JSON/,
  });
});
