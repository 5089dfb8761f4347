import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { rootDir } from '../../src/paths.js';
import { network } from './networks.js';

/** Files that a process leaves in its home and temporary folders after it ran a network. */
function filesLeftBy(home: string, code: string): string[] {
  const { PATH } = process.env;
  // No CI variable: it would switch telemetry off by itself.
  execFileSync(process.execPath, ['-e', `void (async () => { ${code} })()`], {
    env: { PATH, HOME: home, TMPDIR: home },
  });
  return readdirSync(home, { recursive: true }).map(String);
}

const moduleAt = (path: string): string => JSON.stringify(pathToFileURL(join(rootDir, 'dist', 'src', path)).href);

void t.test('A pool of workers leaves nothing of ONNX Runtime’s telemetry behind', async (t) => {
  const left = filesLeftBy(
    t.testdir(),
    `const { startInferencePool } = await import(${moduleAt('inference/pool.js')});
     const pool = await startInferencePool({ networks: [${JSON.stringify(network('waveform'))}], workers: 1, queueLimit: 1 });
     await pool.close();`,
  );
  t.same(left, []);
});

void t.test('Nor does a look at an unknown network in the main thread', async (t) => {
  const { onnxPath } = network('waveform');
  const left = filesLeftBy(
    t.testdir(),
    `const { describeNetwork } = await import(${moduleAt('inference/describe-network.js')});
     await describeNetwork(${JSON.stringify(onnxPath)});`,
  );
  t.same(left, []);
});
