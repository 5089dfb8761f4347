import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { auditPublicKey, currentHead, headFileIsGenuine, verifyAudit } from '../../src/cli/audit-verify.js';
import { withClient } from '../../src/storage/engine.js';
import { openTestEngine, temporaryFolder, testAuditKey } from './open-test-store.js';
import { moment, newTenant } from './rows.js';

const { store, engine } = await openTestEngine(t);
const folder = temporaryFolder(t);
const by = { apiKeyId: 'key-1', agentId: null };

async function grow(tenantId: string, entries: number): Promise<void> {
  await store.transaction(tenantId, async (tx) => {
    for (let i = 0; i < entries; i++) await tx.audit.append({ by, kind: 'policy_stored', version: i }, moment(i));
  });
}

async function saveHead(tenantId: string): Promise<string> {
  const file = join(folder, `${tenantId}.json`);
  writeFileSync(file, JSON.stringify(await currentHead(store, tenantId)));
  return file;
}

/** Does what only somebody with the rights of the tables' owner can do: switches the triggers off and changes the tables. */
async function tamper(...statements: string[]): Promise<void> {
  await withClient(engine, async (client) => {
    await client.query('begin');
    for (const table of ['audit_entries', 'audit_heads'])
      await client.query(`alter table ${table} disable trigger user`);
    for (const statement of statements) await client.query(statement);
    for (const table of ['audit_entries', 'audit_heads'])
      await client.query(`alter table ${table} enable trigger user`);
    await client.query('commit');
  });
}

void t.test(
  'entries are numbered from 1, read back in pages as they were sealed, and the head moves along',
  async (t) => {
    const tenantId = await newTenant(store);
    t.equal(await currentHead(store, tenantId), null);
    t.same(await verifyAudit(store, testAuditKey, tenantId), { ok: true, entries: 0, lastSeq: 0 });
    const text = 'quote " backslash \\ nul \u0000 lone \ud800 snow ☃';
    await store.transaction(tenantId, async (tx) => {
      const first = await tx.audit.append({ by, kind: 'account_unlocked', account: 'ab', reason: text }, moment());
      t.same(await tx.audit.page(0, 10), [first]);
      const second = await tx.audit.append({ by, kind: 'api_key_revoked', keyId: 'k' }, moment(1));
      t.same(await tx.audit.page(0, 1), [first]);
      t.same(await tx.audit.page(1, 10), [second]);
      t.match(await tx.audit.head(), { tenantId, seq: 2, seal: second.seal, at: moment(1) });
    });
    t.same(await verifyAudit(store, testAuditKey, tenantId), { ok: true, entries: 2, lastSeq: 2 });
  },
);

void t.test('the database refuses to change, remove or empty the audit, and to set its head back', async (t) => {
  const tenantId = await newTenant(store);
  await grow(tenantId, 2);
  for (const statement of [
    `update audit_entries set seal = seal where tenant_id = '${tenantId}'`,
    `update audit_entries set event = '{}' where false`,
    `delete from audit_entries where tenant_id = '${tenantId}'`,
    'truncate audit_entries',
    'truncate audit_heads',
    `delete from audit_heads where tenant_id = '${tenantId}'`,
    `update audit_heads set seq = 1 where tenant_id = '${tenantId}'`,
    `update audit_heads set signature = 'x' where tenant_id = '${tenantId}'`,
    `update audit_heads set seq = 3, tenant_id = 'other' where tenant_id = '${tenantId}'`,
  ]) {
    await t.rejects(
      withClient(engine, (client) => client.query(statement)),
      { code: '42501' },
      statement,
    );
  }
  await t.rejects(withClient(engine, (client) => client.query(`delete from tenants where tenant_id = '${tenantId}'`)));
  t.match(await verifyAudit(store, testAuditKey, tenantId), { ok: true, lastSeq: 2 });
});

void t.test('a chain longer than a page is checked whole, against a saved head too', async (t) => {
  const tenantId = await newTenant(store);
  await grow(tenantId, 700);
  const headFile = await saveHead(tenantId);
  await grow(tenantId, 700);
  t.same(await verifyAudit(store, testAuditKey, tenantId, headFile), { ok: true, entries: 1400, lastSeq: 1400 });
  t.ok(headFileIsGenuine(headFile, auditPublicKey(testAuditKey)));
  t.notOk(headFileIsGenuine(headFile, auditPublicKey(new Uint8Array(32))));
});

void t.test('what somebody with all rights on the database did is found', async (t) => {
  const cases: [string, (tenantId: string, old: string) => string[], object][] = [
    [
      'an entry changed',
      (id) => [`update audit_entries set event = '{"kind":"policy_stored"}' where tenant_id = '${id}' and seq = 3`],
      { problem: 'altered', seq: 3 },
    ],
    [
      'an entry removed',
      (id) => [`delete from audit_entries where tenant_id = '${id}' and seq = 3`],
      { problem: 'gap', seq: 3 },
    ],
    [
      'the tail cut, the head left',
      (id) => [`delete from audit_entries where tenant_id = '${id}' and seq > 4`],
      { problem: 'cut_tail', seq: 5 },
    ],
    [
      'the tail cut, the head pointed at the rest',
      (id) => [
        `delete from audit_entries where tenant_id = '${id}' and seq > 4`,
        `update audit_heads set seq = 4, seal = (select seal from audit_entries where tenant_id = '${id}' and seq = 4)
         where tenant_id = '${id}'`,
      ],
      { problem: 'head_forged' },
    ],
    [
      'the head of an earlier day put back',
      (id, old) => [`update audit_heads set (seq, seal, recorded_at, signature) = (${old}) where tenant_id = '${id}'`],
      { problem: 'head_mismatch', seq: 6 },
    ],
    [
      'the head set to nothing',
      (id) => [`update audit_heads set seq = 0, recorded_at = null, signature = null where tenant_id = '${id}'`],
      { problem: 'head_mismatch', seq: 6 },
    ],
  ];
  for (const [what, statements, expected] of cases) {
    const tenantId = await newTenant(store);
    await grow(tenantId, 4);
    const head = await currentHead(store, tenantId);
    const old = `4, '${head?.seal}', '${head?.at.toISOString()}', '${head?.signature}'`;
    await grow(tenantId, 2);
    await tamper(...statements(tenantId, old));
    t.match(await verifyAudit(store, testAuditKey, tenantId), { ok: false, ...expected }, what);
  }
});

void t.test('a tail cut together with its head is shown by a head that was kept elsewhere', async (t) => {
  const tenantId = await newTenant(store);
  await grow(tenantId, 4);
  const head = await currentHead(store, tenantId);
  await grow(tenantId, 2);
  const headFile = await saveHead(tenantId);
  await tamper(
    `delete from audit_entries where tenant_id = '${tenantId}' and seq > 4`,
    `update audit_heads set seq = 4, seal = '${head?.seal}', recorded_at = '${head?.at.toISOString()}',
       signature = '${head?.signature}' where tenant_id = '${tenantId}'`,
  );
  t.match(await verifyAudit(store, testAuditKey, tenantId), { ok: true, lastSeq: 4 }, 'invisible from inside');
  const report = await verifyAudit(store, testAuditKey, tenantId, headFile);
  t.match(report, { ok: false, problem: 'cut_tail', seq: 5 });
});

void t.test('an unknown tenant and a file without a head are refused', async (t) => {
  const tenantId = await newTenant(store);
  await t.rejects(verifyAudit(store, testAuditKey, 'nobody'), { code: 'not_found' });
  await t.rejects(verifyAudit(store, testAuditKey, tenantId, join(folder, 'absent.json')), { code: 'invalid_request' });
  writeFileSync(join(folder, 'empty.json'), 'null');
  await t.rejects(verifyAudit(store, testAuditKey, tenantId, join(folder, 'empty.json')), { code: 'invalid_request' });
});
