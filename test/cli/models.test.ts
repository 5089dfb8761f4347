import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { rootDir } from '../../src/paths.js';
import { networksDir } from '../inference/networks.js';
import { serve, startFileServer } from '../models/file-server.js';

const dir = mkdtempSync(join(tmpdir(), 'voicegate-cli-'));
t.teardown(() => rmSync(dir, { recursive: true }));

/** Runs a program of dist/src in an environment of its own. */
function run(program: 'cli' | 'main', words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(rootDir, 'dist', 'src', `${program}.js`), ...words], {
    env: { PATH: process.env.PATH, VOICEGATE_DATA_DIR: dir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (piece: Buffer) => (text.stdout += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (text.stderr += piece.toString()));
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, ...text }));
  });
}

const models = (...words: string[]) => run('cli', ['models', ...words]);

void t.test('what the system refuses is told in one line', async (t) => {
  const { code, stderr } = await run('cli', ['models', 'list'], {
    VOICEGATE_MODELS_DIR: join(rootDir, 'package.json'),
  });
  t.equal(code, 1);
  t.match(stderr, /^ENOTDIR: the system refuses scandir at .*package\.json\n$/);
});

void t.test(
  'a file is installed and listed; the service does not start with it and says what would help',
  async (t) => {
    const added = await models('add', join(networksDir, 'wespeaker.onnx'), '--family', 'wespeaker', '--id', 'my-model');
    t.equal(added.code, 0, added.stderr);
    t.match(added.stderr, /my-model is installed in .*: kaldi-fbank at 16000 Hz, 80 values/);
    t.match(added.stderr, /cannot judge before `voicegate adapt --model my-model`/);

    const listed = await models('list', '--json');
    const rows = JSON.parse(listed.stdout) as { id: string }[];
    t.match(
      rows.find(({ id }) => id === 'my-model'),
      { state: 'installed', set: null, calibrated: false },
    );

    const started = await run('main', [], { VOICEGATE_MODEL: 'my-model', VOICEGATE_PORT: '0' });
    t.equal(started.code, 1);
    t.match(
      started.stderr,
      /model_invalid: the calibration of my-model is not there: without one the model cannot judge/,
    );
    t.match(
      started.stderr,
      /`voicegate adapt --model my-model` fits one .*`voicegate eval --model my-model` needs none/,
    );
    t.notOk(readdirSync(dir).includes('pgdata'), 'before it opens a database');
  },
);

void t.test('a pull shows how far it is, and ends with what was wrong', async (t) => {
  const bytes = Buffer.alloc(26_530_550);
  const server = await startFileServer(t, serve(bytes));
  const { code, stderr } = await models('pull', 'wespeaker-resnet34-lm', '--url', server.url);
  t.equal(code, 1);
  t.match(stderr, /wespeaker-resnet34-lm \[#{12}\.{12}\] 5\d % {2}1\d\.\d MB of 26\.5 MB {2}\d+ s left\n/);
  t.match(stderr, /100 % {2}26\.5 MB of 26\.5 MB {2}done\n/);
  t.match(stderr, /model_invalid: sha256 of what .*file\.onnx gave is [0-9a-f]{64}, expected e9848563/);
  t.notMatch(stderr, /secret/);
});

void t.test('what cannot be done is said with what can', async (t) => {
  const { code, stderr } = await models('pull', 'redimnet2-b3-lm');
  t.match([code, stderr], [1, /no address for redimnet2-b3-lm\nGive it with --url: redimnet2_b3_vox2_lm\.onnx/]);
});
