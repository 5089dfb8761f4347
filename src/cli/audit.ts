import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { VoicegateError } from '../errors.js';
import { defaultTenantId } from '../service/first-start.js';
import { auditPublicKey, currentHead, headFileIsGenuine, verifyAudit } from './audit-verify.js';
import type { WithStore } from './with-store.js';

/** `voicegate audit …`: check the chain, take its signed head away, check a head that was taken away. */
export function auditCommand(withStore: WithStore): Command {
  const audit = new Command('audit').description('the sealed audit trail');
  const tenant = (): Option => new Option('--tenant <id>', 'tenant').default(defaultTenantId);
  audit
    .command('verify')
    .description('check every entry; with --head also that nothing was cut since that head was taken')
    .option('--head <file>', 'a signed head kept outside the database')
    .addOption(tenant())
    .action(async (options: { head?: string; tenant: string }) => {
      const report = await withStore((store, { auditKey }) =>
        verifyAudit(store, auditKey, options.tenant, options.head),
      );
      if (report.ok) {
        process.stdout.write(`the chain is whole: ${report.entries} entries\n`);
        return;
      }
      throw new VoicegateError('audit_broken', `${report.problem} at entry ${report.seq}: ${report.message}`, {
        hint: `${report.entries} entries before it are sound`,
      });
    });
  audit
    .command('head')
    .description('print the signed head as JSON; keep it outside the database')
    .addOption(tenant())
    .action(async (options: { tenant: string }) => {
      const head = await withStore((store) => currentHead(store, options.tenant));
      process.stdout.write(`${JSON.stringify(head)}\n`);
    });
  audit
    .command('public-key')
    .description('print the key that signed heads are checked with (PEM); it is not secret')
    .action(async () => {
      process.stdout.write(await withStore(async (_store, { auditKey }) => auditPublicKey(auditKey)));
    });
  audit
    .command('check-head <headFile> <publicKeyFile>')
    .description('check the signature of a kept head: needs neither secret nor database')
    .action((headFile: string, publicKeyFile: string) => {
      if (!headFileIsGenuine(headFile, readFileSync(publicKeyFile, 'utf8'))) {
        throw new VoicegateError('audit_broken', 'the head was not signed with this key');
      }
      process.stdout.write('the signature is genuine\n');
    });
  return audit;
}
