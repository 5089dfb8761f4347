import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { verifyAudit } from '../../src/cli/audit-verify.js';
import { migrationsDir } from '../../src/paths.js';
import { openStore } from '../../src/storage/store.js';
import { emptyDataDir, temporaryFolder, testAuditKey } from './open-test-store.js';

const writer = fileURLToPath(new URL('./durability-writer.js', import.meta.url));
const settings = { auditKey: testAuditKey, migrationsDir };

/** Starts the writer on a folder; kills it with -9 as soon as `enough` says so of the lines it has printed. Answers the lines. */
async function writeUntilKilled(
  dataDir: string,
  run: string,
  enough: (lines: readonly string[]) => boolean,
): Promise<string[]> {
  const child = spawn(process.execPath, [writer, dataDir, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (enough(lines)) child.kill('SIGKILL');
  }
  await exited;
  return lines;
}

void t.test('what was committed is there after kill -9, several times over, and the chain verifies', async (t) => {
  const dataDir = await emptyDataDir(t);
  const committed: string[] = [];
  for (const [run, writes] of [40, 1, 90, 13, 55].entries()) {
    const lines = await writeUntilKilled(dataDir, `run${run}`, (lines) => lines.length > writes);
    t.equal(lines[0], 'open', `start ${run + 1} found a database it could open`);
    committed.push(...lines.slice(1));
  }
  t.ok(existsSync(join(dataDir, 'pgdata', 'postmaster.pid')), 'the killed engine left its own lock behind');
  const store = await openStore({ dataDir, ...settings });
  t.teardown(() => store.close());
  const found = await store.transaction('north', async (tx) => {
    const audited = (await tx.audit.page(0, 1_000_000)).map(({ event }) => ('account' in event ? event.account : null));
    const missing: string[] = [];
    for (const accountId of committed) {
      if ((await tx.accounts.get(accountId)) === null || !audited.includes(accountId)) missing.push(accountId);
    }
    const withoutAccount = [];
    for (const accountId of audited)
      if ((await tx.accounts.get(accountId ?? '')) === null) withoutAccount.push(accountId);
    return { missing, withoutAccount, audited: audited.length };
  });
  t.same(found.missing, [], 'every transaction that was answered is there, with its audit entry');
  t.same(found.withoutAccount, [], 'and no half of one');
  t.ok(committed.length >= 199);
  t.same(await verifyAudit(store, testAuditKey, 'north'), { ok: true, entries: found.audited, lastSeq: found.audited });
});

void t.test('a first start that was killed halfway is begun again', async (t) => {
  const dataDir = temporaryFolder(t);
  const unfinished = join(dataDir, 'pgdata.unfinished');
  const child = spawn(process.execPath, [writer, dataDir, 'a'], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  while (!existsSync(join(unfinished, 'PG_VERSION'))) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await exited;
  t.notOk(existsSync(join(dataDir, 'pgdata')));
  const store = await openStore({ dataDir, ...settings });
  await store.ping();
  await store.close();
  t.same(readdirSync(dataDir), ['pgdata']);
});

void t.test('a data folder is held by one process at a time and given back at closing', async (t) => {
  const dataDir = temporaryFolder(t);
  const store = await openStore({ dataDir, ...settings });
  await t.rejects(openStore({ dataDir, ...settings }), {
    code: 'configuration_invalid',
    message: new RegExp(`the data folder .* is held by process ${process.pid}`),
    details: { pid: process.pid, host: hostname() },
  });
  await store.close();
  t.same(readdirSync(dataDir), ['pgdata']);
});

void t.test('a folder that cannot be made or written says so', async (t) => {
  const dataDir = temporaryFolder(t);
  writeFileSync(join(dataDir, 'file'), '');
  await t.rejects(openStore({ dataDir: join(dataDir, 'file'), ...settings }), { code: 'configuration_invalid' });
  mkdirSync(join(dataDir, 'damaged', 'pgdata'), { recursive: true });
  writeFileSync(join(dataDir, 'damaged', 'pgdata', 'PG_VERSION'), '18\n');
  await t.rejects(openStore({ dataDir: join(dataDir, 'damaged'), ...settings }), { code: 'database_unavailable' });
  t.notOk(existsSync(join(dataDir, 'damaged', 'voicegate.lock')), 'the folder is given back');
});
