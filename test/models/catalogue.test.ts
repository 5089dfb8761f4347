import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { catalogueEntry, readCatalogue } from '../../src/models/catalogue.js';
import { modelsDir } from '../../src/paths.js';

const catalogue = readCatalogue();

void t.test('the catalogue that is checked in fits its schema, and each id, file and hash is there once', async (t) => {
  t.same(
    catalogue.map(({ id }) => id),
    [
      '3dspeaker-campplus-zh-cn',
      '3dspeaker-eres2netv2-zh-cn',
      'wespeaker-resnet34-lm',
      'wespeaker-campplus-lm',
      'nemo-titanet-small',
      'nemo-titanet-large',
      'redimnet2-b3-lm',
    ],
  );
  for (const field of ['id', 'file', 'sha256'] as const) {
    t.equal(new Set(catalogue.map((entry) => entry[field])).size, catalogue.length, field);
  }
});

void t.test('an address is that of the file it belongs to; each entry says what is unknown and what its licence asks', async (t) => {
  for (const entry of catalogue) {
    if (entry.address !== null) t.equal(decodeURIComponent(entry.address.split('/').at(-1) ?? ''), entry.file);
    t.ok(entry.unknown.length > 0 && entry.licenceNote.length > 0, entry.id);
    if (entry.bytes === null) t.match(entry.unknown.join(' '), /size/, entry.id);
    if (entry.dimension === null) t.match(entry.unknown.join(' '), /length of its embeddings/, entry.id);
    if (entry.licence.spdx === 'NOASSERTION') t.match(entry.licenceNote, /read it before using/, entry.id);
  }
});

void t.test('an id that the catalogue does not have is answered with those it has', async (t) => {
  t.equal(catalogueEntry(catalogue, 'redimnet2-b3-lm').family, 'waveform');
  t.throws(() => catalogueEntry(catalogue, 'resnet'), { code: 'not_found', hint: /wespeaker-resnet34-lm/ });
});

void t.test('a catalogue with an unknown family, a short hash or a field too many is refused, and the place is named', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'voicegate-catalogue-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'catalogue.json');
  for (const [change, place] of [
    [{ family: 'espnet' }, /\/models\/0\/family/],
    [{ sha256: 'abc' }, /\/models\/0\/sha256/],
    [{ address: 'http://example.org/x' }, /\/models\/0\/address/],
    [{ threshold: 0.5 }, /\/models\/0/],
  ] as const) {
    const bent = JSON.parse(readFileSync(join(modelsDir, 'catalogue.json'), 'utf8')) as { models: object[] };
    bent.models[0] = { ...bent.models[0], ...change };
    writeFileSync(path, JSON.stringify(bent));
    t.throws(() => readCatalogue(path), { code: 'model_invalid', message: place });
  }
});
