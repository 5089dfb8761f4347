import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { migrationsDir } from '../../src/paths.js';
import { withClient, type Engine } from '../../src/storage/engine.js';
import { migrate, migrateDatabase } from '../../src/storage/migrate.js';
import { openEngine } from '../../src/storage/open-engine.js';
import { openStore, storeOn } from '../../src/storage/store.js';
import { openTestPlace, temporaryFolder, testAuditKey, testDatabaseUrl } from './open-test-store.js';

const names = readdirSync(migrationsDir)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.slice(0, -'.sql'.length))
  .sort();

/** A copy of the migrations that a test may change. */
function copiedMigrations(t: Parameters<typeof temporaryFolder>[0]): string {
  const folder = temporaryFolder(t);
  cpSync(migrationsDir, folder, { recursive: true, dereference: true });
  return folder;
}

/** Each test needs a database of its own. */
async function freshEngine(t: Parameters<typeof openTestPlace>[0]): Promise<Engine> {
  const engine = await openEngine(await openTestPlace(t));
  t.teardown(() => engine.close());
  return engine;
}

async function applied(engine: Engine): Promise<string[]> {
  return withClient(engine, async (client) => {
    const { rows } = await client.query<{ name: string }>('select name from schema_migrations order by name');
    return rows.map(({ name }) => name);
  });
}

void t.test('each migration says on its first line why it is there', async (t) => {
  for (const name of names) {
    t.match(name, /^\d{4}-[a-z]+(-[a-z]+)+$/);
    t.match(readFileSync(join(migrationsDir, `${name}.sql`), 'utf8'), /^-- .{20,}\n/, name);
  }
  t.same(
    names.map((name) => Number(name.slice(0, 4))),
    names.map((_, index) => index + 1),
  );
});

void t.test('from empty all are applied, the second time none; two starters at once apply each once', async (t) => {
  const engine = await freshEngine(t);
  const reports = await Promise.all([migrate(engine, migrationsDir), migrate(engine, migrationsDir)]);
  t.same(
    reports.sort((a, b) => a.alreadyApplied - b.alreadyApplied),
    [
      { applied: names, alreadyApplied: 0 },
      { applied: [], alreadyApplied: names.length },
    ],
  );
  t.same(await migrate(engine, migrationsDir), { applied: [], alreadyApplied: names.length });
  t.same(await applied(engine), names);
});

void t.test('a migration that fails leaves nothing behind, and its repair is applied on the next start', async (t) => {
  const engine = await freshEngine(t);
  const folder = copiedMigrations(t);
  const broken = join(folder, '9000-break-things.sql');
  writeFileSync(broken, '-- why\ncreate table half (id integer); select * from no_such_table;');
  await t.rejects(migrate(engine, folder), { code: '42P01' });
  const { rows } = await withClient(engine, (client) =>
    client.query(`select table_name from information_schema.tables where table_schema = 'public'`),
  );
  t.same(rows, []);
  writeFileSync(broken, '-- why\ncreate table half (id integer);');
  t.same((await migrate(engine, folder)).applied.at(-1), '9000-break-things');
});

void t.test('changed, missing and newer history is refused by starting and by ping', async (t) => {
  const engine = await freshEngine(t);
  const folder = copiedMigrations(t);
  const last = join(folder, `${names.at(-1)}.sql`);
  const store = (dir: string) => storeOn(engine, { auditKey: testAuditKey, migrationsDir: dir });
  await t.rejects(store(folder).ping(), { code: 'configuration_invalid' }, 'not migrated yet');
  await migrate(engine, folder);
  await t.resolves(store(folder).ping());

  writeFileSync(join(folder, '9001-add-later.sql'), '-- why\nselect 1;');
  await t.rejects(store(folder).ping(), { code: 'configuration_invalid' }, 'one migration behind');
  await migrate(engine, folder);
  await t.rejects(migrate(engine, migrationsDir), { code: 'database_newer', message: /9001-add-later/ });
  await t.rejects(store(migrationsDir).ping(), { code: 'database_newer' });

  writeFileSync(join(folder, '9000-add-between.sql'), '-- why\nselect 1;');
  await t.rejects(migrate(engine, folder), { code: 'configuration_invalid', message: /9000-add-between/ });
  rmSync(join(folder, '9000-add-between.sql'));

  const text = readFileSync(last, 'utf8');
  writeFileSync(last, `${text}\n-- one more line`);
  await t.rejects(migrate(engine, folder), {
    code: 'configuration_invalid',
    message: new RegExp(String(names.at(-1))),
  });
  await t.rejects(store(folder).ping(), { code: 'configuration_invalid' });
  writeFileSync(last, text);
  mkdirSync(join(folder, 'aside'));
  renameSync(last, join(folder, 'aside', 'x.sql'));
  await t.rejects(migrate(engine, folder), { code: 'database_newer' });
});

void t.test(
  'a database of the schema before prints by several models keeps its prints and open enrolments',
  async (t) => {
    const engine = await freshEngine(t);
    const folder = copiedMigrations(t);
    for (const name of names.filter((one) => one >= '0007')) rmSync(join(folder, `${name}.sql`));
    await migrate(engine, folder);
    await withClient(engine, (client) =>
      client.query(`
      insert into tenants values ('t', 'T', now());
      insert into audit_heads (tenant_id) values ('t');
      insert into accounts values ('t', 'a', now(), decode(repeat('07', 32), 'hex'), null, null);
      insert into enrolments values ('t', 'e', 'a', 'open', 'model-a', 1, 'zh', '{12345678}', 'pin', null, true, now(), now());
      insert into enrolment_utterances values ('t', 'u', default, 'e', '[1,2]', 3, now());
      insert into voiceprints values ('t', 'v1', 'a', 'model-a', '[1,0]', 9, '2026-11-01Z', null, '2026-11-02Z');
      insert into voiceprints values ('t', 'v2', 'a', 'model-a', '[0,1]', 9, '2026-11-02Z', 'v1', null);
      insert into voiceprint_utterances values ('t', 'v2', 0, '[0,1]', 9);
      insert into policies values ('t', 1, '{"name":"of an older build"}', now(), 'k', true);
    `),
    );
    await migrate(engine, migrationsDir);
    const store = storeOn(engine, { auditKey: testAuditKey, migrationsDir });
    await store.ping();
    await store.transaction('t', async (tx) => {
      const [print, ...more] = await tx.voiceprints.active('a');
      t.match(print, {
        voiceprintId: 'v2',
        supersedesVoiceprintId: 'v1',
        derivedFromVoiceprintId: null,
        enrolledAt: new Date('2026-11-02Z'),
      });
      t.same(more, []);
      t.same(print?.utterances, [{ vector: Float32Array.of(0, 1), netSpeechSeconds: 9 }]);
      t.match(await tx.enrolments.utterances('e', 'model-a'), [{ utteranceId: 'u', modelId: 'model-a' }]);
      t.match((await tx.policies.active())?.document, {
        name: 'of an older build',
        modelChange: { quietPrintsOf: null, minVoiceLlr: 6.5 },
        passive: { ...defaultPolicy.passive, enabled: false },
      });
      t.equal(await tx.voiceprints.eraseAll('a'), 2);
    });
  },
);

void t.test('the operator’s command opens, migrates and closes; the store then opens on the result', async (t) => {
  const place = await openTestPlace(t);
  t.same((await migrateDatabase(place, migrationsDir)).applied, names);
  t.same((await migrateDatabase(place, migrationsDir)).applied, []);
  const store = await openStore({ ...place, auditKey: testAuditKey, migrationsDir });
  await store.ping();
  await Promise.all([store.close(), store.close()]);
});

void t.test(
  'two processes that start at once wait for each other',
  { skip: testDatabaseUrl === undefined && 'one process holds an embedded database' },
  async (t) => {
    const place = await openTestPlace(t);
    const reports = await Promise.all([1, 2, 3].map(() => migrateDatabase(place, migrationsDir)));
    t.same(reports.map((report) => report.applied.length).sort(), [0, 0, names.length]);
  },
);
