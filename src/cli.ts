#!/usr/bin/env node
import { Command } from 'commander';
import { adaptCommand } from './cli/adapt.js';
import { auditCommand } from './cli/audit.js';
import { evalCommand } from './cli/eval.js';
import { keysCommand } from './cli/keys.js';
import { migrateModelCommand } from './cli/migrate-model.js';
import { modelsCommand } from './cli/models.js';
import { tenantsCommand } from './cli/tenants.js';
import { thresholdCommand } from './cli/threshold.js';
import type { WithStore } from './cli/with-store.js';
import { loadSpeakerModel, migrate, version, withStore as openStoreFor } from './compose.js';
import { describeSettings, readConfig } from './config.js';
import { VoicegateError } from './errors.js';

const withStore: WithStore = (work) => openStoreFor(readConfig(), work);

const program = new Command('voicegate').description('Voiceprint authentication for call centres').version(version);
program
  .command('migrate')
  .description('bring the database schema up to date and end')
  .action(async () => {
    const { applied, alreadyApplied } = await migrate(readConfig());
    process.stderr.write(`${applied.length} migrations applied, ${alreadyApplied} were there\n`);
  });
program
  .command('config')
  .description('print every setting with its meaning, default and range')
  .action(() => {
    for (const { name, meaning, default: value, range } of describeSettings()) {
      process.stdout.write(`${name}\n    ${meaning}\n    default: ${value || 'none'}; range: ${range}\n`);
    }
  });
program.addCommand(keysCommand(withStore));
program.addCommand(tenantsCommand(withStore));
program.addCommand(auditCommand(withStore));
program.addCommand(
  migrateModelCommand(withStore, async (modelId) => {
    await loadSpeakerModel(modelId, readConfig());
  }),
);
program.addCommand(evalCommand(() => readConfig()));
program.addCommand(thresholdCommand());
program.addCommand(adaptCommand(() => readConfig()));
program.addCommand(modelsCommand(() => readConfig()));

try {
  await program.parseAsync();
} catch (fault) {
  if (fault instanceof VoicegateError) {
    process.stderr.write(`${fault.code}: ${fault.message}\n${fault.hint === undefined ? '' : `${fault.hint}\n`}`);
  } else {
    const { code, syscall, path } = fault as NodeJS.ErrnoException;
    if (code === undefined || path === undefined) throw fault;
    process.stderr.write(`${code}: the system refuses ${syscall ?? 'work'} at ${path}\n`);
  }
  process.exitCode = 1;
}
