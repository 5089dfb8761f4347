import t from 'tap';
import { deriveAuditKeys } from '../../src/audit/keys.js';
import { verifyChain } from '../../src/audit/chain.js';
import { VoicegateError } from '../../src/errors.js';
import { openTestEngine, testAuditKey, testDatabaseUrl } from './open-test-store.js';
import { withClient } from '../../src/storage/engine.js';
import { inTransaction } from '../../src/storage/transaction.js';
import { accountRow, challengeRow, fresh, moment, newTenant, policyDocument } from './rows.js';

const { store, engine } = await openTestEngine(t);
const tenantId = await newTenant(store);
const by = { apiKeyId: null, agentId: null };

/** Starts the work that many times at once and answers all results. */
function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

void t.test('of 100 simultaneous claims of one challenge exactly one succeeds', async (t) => {
  const row = challengeRow('caller');
  await store.transaction(tenantId, (tx) => tx.challenges.insert(row));
  const claims = await atOnce(100, () =>
    store.transaction(tenantId, (tx) => tx.challenges.claim(row.challengeId, moment())),
  );
  t.equal(claims.filter((claimed) => claimed).length, 1);
});

void t.test('a claim that is rolled back leaves the challenge to another', async (t) => {
  const row = challengeRow('caller');
  await store.transaction(tenantId, (tx) => tx.challenges.insert(row));
  const claims = await atOnce(20, (index) =>
    store
      .transaction(tenantId, async (tx) => {
        const claimed = await tx.challenges.claim(row.challengeId, moment());
        if (claimed && index % 2 === 0) throw new Error('changed my mind');
        return claimed;
      })
      .catch(() => false),
  );
  t.equal(claims.filter((claimed) => claimed).length, 1);
});

void t.test('200 failures counted under the lock are all counted, on an id without any row before', async (t) => {
  const accountId = fresh('guessed');
  const seen = await atOnce(200, () =>
    store.transaction(tenantId, async (tx) => {
      const state = await tx.attempts.lock(accountId);
      await tx.attempts.save(accountId, { ...state, failures: state.failures + 1 });
      return state.failures;
    }),
  );
  t.same(
    seen.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i),
  );
});

void t.test('simultaneous callers of one line are counted one after another', async (t) => {
  const limit = 5;
  const recorded = await atOnce(60, (index) =>
    store.transaction(tenantId, async (tx) => {
      await tx.velocity.lock('line:sprayed');
      const { distinctAccounts } = await tx.velocity.counts('line:sprayed', moment());
      if (distinctAccounts >= limit) return false;
      await tx.velocity.record('line:sprayed', `account-${index}`, moment());
      return true;
    }),
  );
  t.equal(recorded.filter((was) => was).length, limit);
});

void t.test('of 50 simultaneous creations of one account one is new and all see the same row', async (t) => {
  const accountId = fresh('account');
  const results = await atOnce(50, (index) =>
    store.transaction(tenantId, (tx) =>
      tx.accounts.insertIfAbsent(accountRow(accountId, { createdAt: moment(index) })),
    ),
  );
  t.equal(results.filter(({ created }) => created).length, 1);
  t.equal(new Set(results.map(({ row }) => row.createdAt.getTime())).size, 1);
});

void t.test('of 50 simultaneous requests with one idempotency key one begins', async (t) => {
  const request = { apiKeyId: 'k', requestSha256: Buffer.alloc(32), response: null, createdAt: moment() };
  const begun = await atOnce(50, () =>
    store.transaction(tenantId, (tx) => tx.idempotency.begin({ ...request, idempotencyKey: 'same' })),
  );
  t.equal(begun.filter((row) => row === null).length, 1);
});

void t.test('policies stored and activated at once get different numbers, and one is active', async (t) => {
  const ownTenant = await newTenant(store);
  const versions = await atOnce(20, () =>
    store.transaction(ownTenant, async (tx) => {
      const { version } = await tx.policies.insert(policyDocument, moment(), 'k');
      await tx.policies.activate(version);
      return version;
    }),
  );
  t.equal(new Set(versions).size, 20);
  const list = await store.transaction(ownTenant, (tx) => tx.policies.list());
  t.equal(list.filter(({ active }) => active).length, 1);
});

void t.test('the audit grows without gaps under concurrent and failing writers of several tenants', async (t) => {
  const tenants = [await newTenant(store), await newTenant(store)];
  await atOnce(120, (index) =>
    store
      .transaction(tenants[index % 2] ?? tenantId, async (tx) => {
        await tx.audit.append({ by, kind: 'policy_stored', version: index }, moment(index));
        if (index % 3 === 0) throw new Error('changed my mind');
      })
      .catch(() => undefined),
  );
  for (const tenant of tenants) {
    const { entries, head } = await store.transaction(tenant, async (tx) => ({
      entries: await tx.audit.page(0, 1000),
      head: await tx.audit.head(),
    }));
    if (head === null) throw new Error('no head');
    const report = await verifyChain(entries, deriveAuditKeys(testAuditKey), tenant, [head]);
    t.same(report, { ok: true, entries: 40, lastSeq: 40 });
    t.equal(head.seq, 40);
  }
});

void t.test(
  'two transactions that lock each other out are both done in the end',
  { skip: testDatabaseUrl === undefined && 'the embedded engine runs one transaction at a time' },
  async (t) => {
    const accounts = [fresh('account'), fresh('account')];
    let runs = 0;
    const countUp = async (order: readonly string[]) =>
      store.transaction(tenantId, async (tx) => {
        runs += 1;
        for (const accountId of order) {
          const state = await tx.attempts.lock(accountId);
          await tx.attempts.save(accountId, { ...state, failures: state.failures + 1 });
          await withClient(engine, (client) => client.query('select pg_sleep(0.1)'));
        }
      });
    await Promise.all([countUp(accounts), countUp([...accounts].reverse())]);
    t.ok(runs > 2, 'one was undone and tried again');
    for (const accountId of accounts) {
      t.equal((await store.transaction(tenantId, (tx) => tx.attempts.get(accountId))).failures, 2);
    }
  },
);

void t.test('what can never be ordered is given up after five tries as busy', async (t) => {
  let runs = 0;
  const work = inTransaction(engine, async (client) => {
    runs += 1;
    await client.query(`do $$ begin raise exception 'out of order' using errcode = 'serialization_failure'; end $$`);
  });
  await t.rejects(work, VoicegateError);
  await t.rejects(work, { code: 'busy', retryAfterSeconds: 1 });
  t.equal(runs, 5);
});
