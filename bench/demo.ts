/**
 * `npm run demo`: the whole story on the embedded database. Ends with exit code 0 when every step ended as told, with 1 otherwise.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../src/compose.js';
import { readConfig } from '../src/config.js';
import { createLog } from '../src/ops/log.js';
import { createClient } from './client.js';
import { playStory, type StoryOutcome } from './story.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const dataDir = await mkdtemp(join(tmpdir(), 'voicegate-demo-'));
print('\nVoicegate demo: synthesised callers, telephone band, G.711, embedded database');
print('starting: database, models, workers …\n');
const config = readConfig({ VOICEGATE_DATA_DIR: dataDir, VOICEGATE_PORT: '0', VOICEGATE_LOG_LEVEL: 'error' });
const service = await start(config, createLog(config.logLevel));
let outcome: StoryOutcome;
try {
  const apiKey = (await readFile(join(dataDir, 'first-api-key'), 'utf8')).trim();
  outcome = await playStory(createClient(service.url, apiKey), print);
} finally {
  await service.stop();
  await rm(dataDir, { recursive: true, force: true });
}
const { told, otherwise } = outcome;
print(
  otherwise.length === 0
    ? `\nAll ${told} steps ended as told. Serve with \`npm start\`; the API page is at /docs.`
    : `\n${otherwise.length} of ${told} steps ended otherwise.`,
);
process.exit(otherwise.length === 0 ? 0 : 1);
