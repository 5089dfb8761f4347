import pg from 'pg';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import { migrationsDir } from '../../src/paths.js';
import { sqlState, toVoicegateError } from '../../src/storage/database-error.js';
import { openServer } from '../../src/storage/server.js';
import { openStore } from '../../src/storage/store.js';
import { openTestPlace, testAuditKey, testDatabaseUrl } from './open-test-store.js';
import { accountRow, fresh, newTenant } from './rows.js';

const settings = { auditKey: testAuditKey, migrationsDir };
const needsServer = { skip: testDatabaseUrl === undefined && 'needs VOICEGATE_TEST_DATABASE_URL' };

void t.test('a URL that is none and a pool that is too large are refused by name', async (t) => {
  const [hiddenPart, place] = ['s3cret', 'mysql://user:s3cret@host/db'];
  const error: unknown = await openStore({ databaseUrl: place, ...settings }).catch((error: unknown) => error);
  t.match(error, { code: 'configuration_invalid', message: /DATABASE_URL/ });
  t.notOk(JSON.stringify(error).includes(hiddenPart) || String(error).includes(hiddenPart), 'the password is not told');
  for (const poolSize of [0, 201, 1.5]) {
    t.throws(() => openServer('postgres://localhost/x', poolSize), {
      code: 'configuration_invalid',
      message: /out of range/,
    });
  }
});

void t.test('a server that is not there is database_unavailable', async (t) => {
  const unreachable = openStore({ databaseUrl: 'postgres://127.0.0.1:1/x', ...settings });
  await t.rejects(unreachable, { code: 'database_unavailable', retryAfterSeconds: 5 });
});

void t.test('errors of the database and its driver are told apart', async (t) => {
  const fromServer = (code: string) => Object.assign(new Error('x'), { code, severity: 'ERROR' });
  const fromSystem = (code: string) => Object.assign(new Error('x'), { code });
  const cases: [string, Error, string | null][] = [
    ['serialization_failure', fromServer('40001'), 'busy'],
    ['deadlock_detected', fromServer('40P01'), 'busy'],
    ['query_canceled', fromServer('57014'), 'busy'],
    ['lock_not_available', fromServer('55P03'), 'busy'],
    ['admin_shutdown', fromServer('57P01'), 'database_unavailable'],
    ['cannot_connect_now', fromServer('57P03'), 'database_unavailable'],
    ['connection_failure', fromServer('08006'), 'database_unavailable'],
    ['too_many_connections', fromServer('53300'), 'database_unavailable'],
    ['disk_full', fromServer('53100'), 'database_unavailable'],
    ['idle_in_transaction_session_timeout', fromServer('25P03'), 'database_unavailable'],
    ['invalid_password', fromServer('28P01'), 'database_unavailable'],
    ['invalid_catalog_name', fromServer('3D000'), 'database_unavailable'],
    ['character_not_in_repertoire', fromServer('22021'), 'invalid_request'],
    ['refused', fromSystem('ECONNREFUSED'), 'database_unavailable'],
    ['reset', fromSystem('ECONNRESET'), 'database_unavailable'],
    ['unknown host', fromSystem('ENOTFOUND'), 'database_unavailable'],
    ['cut off', new Error('Connection terminated unexpectedly'), 'database_unavailable'],
    ['no free connection', new Error('timeout exceeded when trying to connect'), 'busy'],
    ['unique_violation', fromServer('23505'), null],
    ['protocol_violation', fromServer('08P01'), null],
    ['a defect of ours', new TypeError('x is not a function'), null],
  ];
  for (const [what, error, code] of cases) {
    const mapped = toVoicegateError(error);
    if (code === null) t.equal(mapped, error, what);
    else t.match(mapped, { code, cause: error }, what);
  }
  const own = new VoicegateError('conflict', 'x');
  t.equal(toVoicegateError(own), own);
  t.equal(sqlState('no error'), null);
});

void t.test('a wrong database or password is database_unavailable', needsServer, async (t) => {
  const url = new URL(testDatabaseUrl ?? '');
  url.pathname = 'vg_no_such_database';
  await t.rejects(openStore({ databaseUrl: url.href, ...settings }), { code: 'database_unavailable' });
});

void t.test(
  'a connection lost in the middle undoes the transaction, is told, and the next one works',
  needsServer,
  async (t) => {
    const place = await openTestPlace(t);
    const store = await openStore({ ...place, ...settings });
    t.teardown(() => store.close());
    const tenantId = await newTenant(store);
    const accountId = fresh('account');
    for (const moment of ['between two statements', 'during a statement'] as const) {
      const work = store.transaction(tenantId, async (tx) => {
        await tx.accounts.insertIfAbsent(accountRow(accountId));
        const cut = terminateAll(place);
        if (moment === 'between two statements') await cut;
        // Waits for its turn on the server, so that the cut comes in the middle.
        for (;;) await tx.velocity.lock('line:1');
      });
      await t.rejects(work, { code: 'database_unavailable' }, moment);
      t.equal(await store.transaction(tenantId, (tx) => tx.accounts.get(accountId)), null);
      await store.ping();
    }
  },
);

void t.test('connections that are cut at rest harm nobody', needsServer, async (t) => {
  const place = await openTestPlace(t);
  const store = await openStore({ ...place, poolSize: 3, ...settings });
  t.teardown(() => store.close());
  const tenantId = await newTenant(store);
  const busyAll = () =>
    Promise.all(Array.from({ length: 9 }, () => store.transaction(tenantId, (tx) => tx.accounts.get('a'))));
  await busyAll();
  await terminateAll(place);
  await new Promise((resolve) => setTimeout(resolve, 200)); // The cut has to reach this process; nothing tells when.
  t.equal((await busyAll()).length, 9);
});

/** Ends every other connection to the database, as a restart of the server would. */
async function terminateAll(place: Awaited<ReturnType<typeof openTestPlace>>): Promise<void> {
  if (!('databaseUrl' in place)) throw new Error('needs a server');
  const client = new pg.Client({ connectionString: place.databaseUrl });
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
}
