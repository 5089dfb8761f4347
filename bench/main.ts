/** `npm run bench -- NAME`: each bench prints ratios first. Without a name all of them run, the long ones shortened. */
import { benchMemory } from './memory.js';
import { benchService } from './service.js';

const benches: Record<string, (argument: string | undefined) => Promise<void>> = {
  service: () => benchService(),
  memory: (verifications) => benchMemory(Number(verifications ?? 20_000)),
};

const [name, argument] = process.argv.slice(2);
if (name !== undefined && benches[name] === undefined) {
  process.stderr.write(`there is no bench ${name}; there are ${Object.keys(benches).join(', ')}\n`);
  process.exit(1);
}
for (const [title, bench] of Object.entries(benches)) {
  if (name !== undefined && name !== title) continue;
  process.stdout.write(`\n${title}\n`);
  await bench(name === undefined && title === 'memory' ? '2000' : argument);
}
