import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { modelFolders, resolveModelDir } from '../../src/embedding/model-folders.js';
import { modelsDir } from '../../src/paths.js';

const installed = mkdtempSync(join(tmpdir(), 'voicegate-installed-'));
t.teardown(() => rmSync(installed, { recursive: true }));
for (const id of ['other-16k', 'activity-8k', 'half-installed', '.unfinished']) mkdirSync(join(installed, id));
for (const id of ['other-16k', 'activity-8k', '.unfinished']) writeFileSync(join(installed, id, 'card.json'), '{}');

void t.test('a model that came with Voicegate is found first, then one that was installed', async (t) => {
  t.equal(resolveModelDir('activity-8k', installed), join(modelsDir, 'activity-8k'));
  t.equal(resolveModelDir('other-16k', installed), join(installed, 'other-16k'));
  t.equal(resolveModelDir('activity-8k', '/nowhere'), join(modelsDir, 'activity-8k'), 'with nothing installed');
});

void t.test('what is no model’s folder is refused, and the places are named', async (t) => {
  for (const id of ['half-installed', '.unfinished', '../models/activity-8k', 'nobody', '']) {
    t.throws(() => resolveModelDir(id, installed), {
      code: 'model_invalid',
      message: new RegExp(`no model .*${installed}`),
      hint: /voicegate models list/,
    });
  }
});

void t.test('the folders of models are listed once each, without what is unfinished', async (t) => {
  const folders = await modelFolders(installed);
  t.match(
    folders.filter((folder) => folder.id.endsWith('k')),
    [
      { id: 'activity-8k', shipped: true },
      { id: 'digits-8k', shipped: true },
      { id: 'other-16k', dir: join(installed, 'other-16k'), shipped: false },
    ],
  );
  t.notOk(folders.some((folder) => folder.id === 'half-installed' || folder.id.startsWith('.')));
});
