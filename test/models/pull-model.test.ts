import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadModelCard } from '../../src/embedding/model-card.js';
import { readCatalogue, type CatalogueEntry } from '../../src/models/catalogue.js';
import { pullModel, type PullOptions } from '../../src/models/pull-model.js';
import { networksDir, sha256Of } from '../inference/networks.js';
import { client, serve, startFileServer } from './file-server.js';
import type { Tap } from '../embedding/cards.js';

const bytes = readFileSync(join(networksDir, 'waveform.onnx'));
const server = await startFileServer(t, serve(bytes));
const [template] = readCatalogue();
if (template === undefined) throw new Error('the catalogue is empty');
const entry: CatalogueEntry = {
  ...template,
  id: 'public-one',
  family: 'waveform',
  address: null,
  sha256: sha256Of('waveform'),
  bytes: bytes.length,
};

/** Options in a folder of their own. */
function options(t: Tap, changes: Partial<PullOptions> = {}): PullOptions {
  const installedModelsDir = mkdtempSync(join(tmpdir(), 'voicegate-pull-'));
  t.teardown(() => rmSync(installedModelsDir, { recursive: true }));
  server.ranges.length = 0;
  client.has = 0;
  const quiet = { onStart: () => undefined, onBytes: (done: number) => void (client.has = done) };
  return { installedModelsDir, url: server.url, allowHttp: false, ...quiet, ...changes };
}

void t.test('a pull that is cut is gone on with by the next, and the model is installed', async (t) => {
  server.behave(serve(bytes, { cutAfter: 200 }), serve(bytes));
  const pull = options(t);
  await t.rejects(pullModel(entry, pull), { code: 'download_failed', message: /cut after 200 of/ });
  t.same(readdirSync(pull.installedModelsDir), ['.downloads'], 'nothing half installed');
  t.same(readdirSync(join(pull.installedModelsDir, '.downloads')), ['public-one.onnx', 'public-one.onnx.json']);
  const card = await pullModel(entry, pull);
  t.same(server.ranges, [null, 'bytes=200-']);
  t.same(await loadModelCard(join(pull.installedModelsDir, 'public-one')), card);
  t.match(card.notes[0], /^Fetched from http:\/\/127\.0\.0\.1:\d+\/models\/file\.onnx on \d{4}-\d{2}-\d{2}\.$/);
  t.same(readdirSync(join(pull.installedModelsDir, '.downloads')), [], 'and the part is gone');
  await t.rejects(pullModel(entry, pull), { code: 'conflict', message: /model public-one already/ });
  t.equal(server.ranges.length, 2, 'which is not asked for again');
});

void t.test('one process at a time pulls a model; others are told who does', async (t) => {
  let release = (): void => undefined;
  const asked = new Promise<void>((arrived) => {
    server.behave((_, response) => {
      arrived();
      release = () => void response.end(bytes);
    });
  });
  const pull = options(t);
  const first = pullModel(entry, pull);
  await asked;
  await t.rejects(pullModel(entry, pull), {
    code: 'conflict',
    message: `the download of public-one is held by process ${process.pid}`,
  });
  release();
  t.equal((await first).id, 'public-one');
});

void t.test('a file that is right but does not fit its family is kept, so that it need not be fetched again', async (t) => {
  server.behave(serve(bytes));
  const pull = options(t);
  await t.rejects(pullModel({ ...entry, family: 'nemo' }, pull), { code: 'model_invalid', hint: /inputs wav float32 \[N, S\]/ });
  t.same(readdirSync(pull.installedModelsDir), ['.downloads']);
  t.equal((await pullModel(entry, pull)).id, 'public-one');
  t.same(server.ranges, [null, `bytes=${bytes.length}-`]);
});

void t.test('without an address in the catalogue the operator is asked for one', async (t) => {
  await t.rejects(pullModel(entry, options(t, { url: undefined })), {
    code: 'invalid_request',
    message: /no address for public-one/,
    hint: new RegExp(`--url: ${entry.file}`),
  });
});

void t.test('what is too large for the disk is not begun', async (t) => {
  const pull = options(t);
  await t.rejects(pullModel({ ...entry, bytes: 2 ** 52 }, pull), { code: 'download_failed', message: /has room for \d+ bytes, \d+ are needed/ });
  t.same(server.ranges, []);
});
