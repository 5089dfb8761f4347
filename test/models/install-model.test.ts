import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { checkGolden } from '../../src/embedding/golden.js';
import { loadModelCard, networkOf } from '../../src/embedding/model-card.js';
import { resolveModelDir } from '../../src/embedding/model-folders.js';
import { sweepsAndBursts } from '../../src/inference/golden-signal.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { addModel, type AddOptions } from '../../src/models/add-model.js';
import { readCatalogue, type CatalogueEntry } from '../../src/models/catalogue.js';
import { networksDir, sha256Of } from '../inference/networks.js';

const installedModelsDir = mkdtempSync(join(tmpdir(), 'voicegate-installed-'));
t.teardown(() => rmSync(installedModelsDir, { recursive: true }));
const network = (name: string): string => join(networksDir, `${name}.onnx`);
const add = (name: string, options: Partial<AddOptions> = {}, catalogue: readonly CatalogueEntry[] = []) =>
  addModel(network(name), catalogue, { installedModelsDir, ...options });

const [template] = readCatalogue();
if (template === undefined) throw new Error('the catalogue is empty');
const catalogued: CatalogueEntry = { ...template, id: 'public-one', family: '3d-speaker', sha256: sha256Of('3d-speaker') };

for (const [name, family, dimension] of [
  ['wespeaker', 'wespeaker', 80],
  ['titanet', 'nemo', 80],
  ['waveform', 'waveform', 4],
] as const) {
  void t.test(`a file of the family ${family} is installed: card, golden embedding, and it runs`, async (t) => {
    const id = `my-${name}`;
    const card = await add(name, { id, family, licence: 'CC0-1.0' });
    const dir = resolveModelDir(id, installedModelsDir);
    t.same(await loadModelCard(dir), card);
    t.match(card, {
      id,
      file: 'model.onnx',
      sha256: sha256Of(name),
      dimension,
      shortestSeconds: 0.3,
      licence: { spdx: 'CC0-1.0' },
      trainedOn: [{ speakers: null }],
      measured: { lists: [] },
    });
    t.match(card.notes[0], `of the family ${family}`);
    t.match(JSON.parse(readFileSync(join(dir, 'golden.json'), 'utf8')), { origin: 'installed here' });
    const pool = await startInferencePool({ networks: [networkOf(card, dir)], workers: 1, queueLimit: 1 });
    t.teardown(() => pool.close());
    t.ok((await checkGolden(pool, card, dir)) > 0.99999);
    const { vector } = await createEmbedder(pool, card).embed(sweepsAndBursts(16_000).subarray(0, 8000), 0.5);
    t.equal(vector.length, dimension);
  });
}

void t.test('a file of the catalogue is known by its hash: id, family, licence, claims and doubts come along', async (t) => {
  const card = await add('3d-speaker', {}, [catalogued]);
  t.match(card, { id: 'public-one', frontEnd: { window: 'povey' }, licence: catalogued.licence });
  const notes = card.notes.join('\n');
  for (const { list, eerPercent } of catalogued.claims) t.match(notes, `not measured here: EER ${eerPercent} % on ${list}`);
  for (const what of catalogued.unknown) t.ok(notes.includes(what));
  t.ok(notes.includes(catalogued.licenceNote));
});

void t.test('what is not the file that the catalogue means by an id is not installed under it', async (t) => {
  await t.rejects(add('wespeaker', { id: 'public-one', family: 'wespeaker' }, [catalogued]), {
    code: 'model_invalid',
    message: /wespeaker\.onnx is not the catalogue’s public-one/,
  });
});

void t.test('the shortest length that a network takes is found out', async (t) => {
  t.match(await add('patient', { family: 'waveform' }), { id: 'patient', shortestSeconds: 0.5 });
});

void t.test('what does not fit or does not run is refused and leaves nothing behind', async (t) => {
  const before = readdirSync(installedModelsDir);
  const refusals: [() => Promise<unknown>, { code: string; message?: RegExp; hint?: RegExp }][] = [
    [() => add('frames'), { code: 'invalid_request', message: /of which family/, hint: /--family wespeaker, 3d-speaker, nemo, waveform/ }],
    [() => add('frames', { family: 'waveform' }), { code: 'model_invalid', hint: /inputs feats float32 \[N, T, 24\]/ }],
    [() => add('fixed', { family: 'waveform' }), { code: 'model_invalid', message: /\[1, 16000\]/ }],
    [() => add('double', { family: 'waveform' }), { code: 'model_invalid', message: /32-bit floats/ }],
    [() => add('restless', { family: 'waveform' }), { code: 'model_invalid', message: /two runs .* differ/, hint: /evaluation mode/ }],
    [() => add('waveform', { family: 'waveform', id: '../x' }), { code: 'invalid_request', message: /cannot be a model's id/ }],
    [() => add('titanet', { family: 'nemo', outputName: 'logits' }), { code: 'model_invalid', message: /gives \[1, 1\]/ }],
    [() => add('nothing', { family: 'nemo' }), { code: 'invalid_request', message: /cannot be read/ }],
  ];
  for (const [installing, refusal] of refusals) await t.rejects(installing(), refusal);
  t.same(readdirSync(installedModelsDir), before);
});

void t.test('no id is given out twice, neither a shipped model’s nor in a race', async (t) => {
  await t.rejects(add('waveform', { family: 'waveform', id: 'activity-8k' }), { code: 'conflict' });
  const race = await Promise.allSettled([1, 2].map(() => add('waveform', { family: 'waveform', id: 'twin' })));
  t.same(race.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.match(race.find(({ status }) => status === 'rejected'), { reason: { code: 'conflict', message: /a model twin already/ } });
  t.ok(existsSync(join(installedModelsDir, 'twin', 'card.json')));
  t.notOk(readdirSync(installedModelsDir).some((name) => name.startsWith('.')));
});

void t.test('the operator’s file may be anything afterwards: the model is a copy', async (t) => {
  const own = join(installedModelsDir, 'own.onnx');
  copyFileSync(network('waveform'), own);
  const card = await addModel(own, [], { installedModelsDir, family: 'waveform' });
  writeFileSync(own, 'gone');
  t.equal(card.id, 'own');
  const dir = resolveModelDir('own', installedModelsDir);
  t.ok(readFileSync(join(dir, card.file)).equals(readFileSync(network('waveform'))));
});
