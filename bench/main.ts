/** `npm run bench -- NAME`: each bench prints ratios first. Without a name all of them run, the long ones shortened. */
import { benchActivity } from './activity.js';
import { benchAgentVoice } from './agent-voice.js';
import { benchDigits } from './digits.js';
import { benchEmbedding } from './embedding.js';
import { benchMemory } from './memory.js';
import { benchRealCallers, speechDir } from './real-callers.js';
import { benchService } from './service.js';
import { benchSoak } from './soak.js';
import { benchStreams } from './streams.js';

const benches: Record<string, (...words: readonly (string | undefined)[]) => Promise<void>> = {
  embedding: async (rounds) => void (await benchEmbedding(Number(rounds ?? 40))),
  activity: async () => {
    const dir = speechDir();
    if (dir === null) process.stdout.write('needs the speech folder: set VOICEGATE_SPEECH_DIR\n');
    else await benchActivity(dir);
  },
  agent: async (speakers) => {
    const dir = speechDir();
    if (dir === null) process.stdout.write('needs the speech folder: set VOICEGATE_SPEECH_DIR\n');
    else await benchAgentVoice(dir, Number(speakers ?? 1000));
  },
  digits: async (rounds) => benchDigits(Number(rounds ?? 50)),
  service: () => benchService(),
  callers: async (perKind) => void (await benchRealCallers(Number(perKind ?? 1000))),
  streams: (calls, seconds) => benchStreams(calls, Number(seconds ?? 40)),
  soak: (calls) => benchSoak(Number(calls ?? 5000)),
  memory: (verifications) => benchMemory(Number(verifications ?? 20_000)),
};

/** Arguments of the long ones when all run. */
const shortened: Record<string, readonly string[]> = {
  agent: ['5'],
  callers: ['20'],
  memory: ['2000'],
  streams: ['25,100,150', '20'],
  soak: ['500'],
};

const [name, ...words] = process.argv.slice(2);
if (name !== undefined && benches[name] === undefined) {
  process.stderr.write(`there is no bench ${name}; there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(1);
}
for (const [title, bench] of Object.entries(benches)) {
  if (name !== undefined && name !== title) continue;
  process.stdout.write(`\n${title}\n`);
  await bench(...(name === undefined ? (shortened[title] ?? []) : words));
}
