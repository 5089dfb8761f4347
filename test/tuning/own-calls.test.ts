import { join } from 'node:path';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import { readOwnCalls } from '../../src/tuning/own-calls.js';
import { folderOf } from './list-folder.js';

void t.test('a table says which recordings there are and, where known, who speaks', async (t) => {
  const folder = folderOf(t, { 'mine.tsv': ['file|speaker|note', 'a.wav|4711|x', 'deep/b.wav||y'] });
  t.same(await readOwnCalls(join(folder, 'mine.tsv')), [
    { file: join(folder, 'a.wav'), speaker: '4711' },
    { file: join(folder, 'deep', 'b.wav'), speaker: null },
  ]);
});

void t.test('a folder is its calls.tsv, or all its files by nobody known', async (t) => {
  const listed = folderOf(t, { 'calls.tsv': ['file', 'a.wav'], 'b.wav': [''] });
  t.same(await readOwnCalls(listed), [{ file: join(listed, 'a.wav'), speaker: null }]);
  const bare = folderOf(t, { 'b.wav': [''], 'a.wav': [''], '.hidden': [''], 'deep/c.wav': [''] });
  t.same(await readOwnCalls(bare), [
    { file: join(bare, 'a.wav'), speaker: null },
    { file: join(bare, 'b.wav'), speaker: null },
  ]);
});

void t.test('what cannot be read is named', async (t) => {
  const folder = folderOf(t, { 'mine.tsv': ['recording', 'a.wav'] });
  await t.rejects(readOwnCalls(join(folder, 'mine.tsv')), /mine\.tsv line 1: no column file/);
  for (const empty of [folderOf(t, { 'calls.tsv': ['file'] }), folderOf(t, { '.hidden': [''] })]) {
    await t.rejects(readOwnCalls(empty), { code: 'invalid_request', message: /no recording is listed/ });
  }
  const twice = folderOf(t, { 'mine.tsv': ['file|speaker', 'a.wav|4711', './a.wav|4712'] });
  await t.rejects(readOwnCalls(join(twice, 'mine.tsv')), /mine\.tsv line 3: a\.wav is on line 2 already/);
  await t.rejects(readOwnCalls(join(folder, 'nowhere')), VoicegateError);
  await t.rejects(readOwnCalls(join(folder, 'nowhere')), { code: 'invalid_request' });
});
