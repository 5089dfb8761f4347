import t from 'tap';
import { cosine } from '../../src/scoring/cosine.js';
import type { VoiceprintRow } from '../../src/service/ports.js';
import { openTestStore } from './open-test-store.js';
import { accountRow, duplicateRow, enrolmentRow, fresh, moment, newTenant, vectorOf, voiceprintRow } from './rows.js';

const store = await openTestStore(t);

async function newAccount(tenantId: string): Promise<string> {
  const accountId = fresh('account');
  await store.transaction(tenantId, (tx) => tx.accounts.insertIfAbsent(accountRow(accountId)));
  return accountId;
}

async function holder(tenantId: string, seed: number, change: Partial<VoiceprintRow> = {}): Promise<VoiceprintRow> {
  const row = voiceprintRow(await newAccount(tenantId), { vector: vectorOf(seed), ...change });
  await store.transaction(tenantId, (tx) => tx.voiceprints.add(row));
  return row;
}

void t.test(
  'the nearest prints are those of the largest cosine, of other accounts, this model, active, this tenant',
  async (t) => {
    const [tenantId, otherTenant] = [await newTenant(store), await newTenant(store)];
    const prints: VoiceprintRow[] = [];
    for (let seed = 1; seed <= 12; seed++) prints.push(await holder(tenantId, seed * 1.7));
    const own = await holder(tenantId, 2);
    await holder(tenantId, 2, { modelId: 'model-b' });
    await holder(tenantId, 2, { supersededAt: moment() });
    await holder(otherTenant, 2);
    const asked = vectorOf(2);
    const wanted = prints
      .map(({ accountId, vector }) => ({ accountId, cosine: cosine(vector, asked) }))
      .sort((a, b) => b.cosine - a.cosine)
      .map(({ accountId }) => accountId);
    await store.transaction(tenantId, async (tx) => {
      const found = await tx.voiceprints.nearest('model-a', asked, own.accountId, 5);
      t.equal(found.searched, 12);
      t.same(
        found.prints.map(({ accountId }) => accountId),
        wanted.slice(0, 5),
      );
      t.same(
        found.prints[0]?.vector,
        prints.find(({ accountId }) => accountId === wanted[0])?.vector,
        'to the last bit',
      );
      t.equal((await tx.voiceprints.nearest('model-c', asked, own.accountId, 5)).searched, 0);
      t.equal((await tx.voiceprints.nearest('model-a', asked, 'nobody', 99)).prints.length, 13);
    });
  },
);

void t.test('findings are listed newest first, page by page, open or all, and resolved', async (t) => {
  const [tenantId, otherTenant] = [await newTenant(store), await newTenant(store)];
  const [a, b] = [await newAccount(tenantId), await newAccount(tenantId)];
  const rows = Array.from({ length: 5 }, () => duplicateRow(a, b));
  await store.transaction(tenantId, async (tx) => {
    for (const row of rows) await tx.duplicates.insert(row);
    const newest = [...rows].reverse();
    const all = { onlyOpen: false, before: null, limit: 10 };
    t.same(await tx.duplicates.list(all), newest);
    t.same(await tx.duplicates.list({ ...all, limit: 2 }), newest.slice(0, 2));
    t.same(await tx.duplicates.list({ ...all, before: newest[1]?.findingId ?? '' }), newest.slice(2));
    t.same(await tx.duplicates.allowedWith(a), []);
    const resolved = await tx.duplicates.resolve(newest[0]?.findingId ?? '', true, moment(5));
    t.same(resolved, { ...newest[0], allowed: true, resolvedAt: moment(5) });
    await tx.duplicates.resolve(newest[1]?.findingId ?? '', false, moment(5));
    t.same(await tx.duplicates.list({ ...all, onlyOpen: true }), newest.slice(2));
    t.same([await tx.duplicates.allowedWith(a), await tx.duplicates.allowedWith(b)], [[b], [a]], 'both ways');
    t.equal(await tx.duplicates.resolve('finding-0', true, moment()), null);
  });
  await store.transaction(otherTenant, async (tx) => {
    t.same(await tx.duplicates.list({ onlyOpen: false, before: null, limit: 10 }), []);
    t.equal(await tx.duplicates.resolve(rows[0]?.findingId ?? '', true, moment()), null, 'another tenant’s');
  });
});

void t.test('a finding goes with either account', async (t) => {
  for (const erased of [0, 1]) {
    const tenantId = await newTenant(store);
    const pair = [await newAccount(tenantId), await newAccount(tenantId)] as const;
    await store.transaction(tenantId, async (tx) => {
      await tx.duplicates.insert(duplicateRow(pair[0], pair[1]));
      await tx.accounts.erase(pair[erased as 0 | 1]);
      t.same(await tx.duplicates.list({ onlyOpen: false, before: null, limit: 10 }), []);
    });
  }
});

void t.test('undoing an enrolment erases its prints and brings back those it superseded, once', async (t) => {
  const tenantId = await newTenant(store);
  const accountId = await newAccount(tenantId);
  const [first, second, third] = [1, 2, 3].map((seed) =>
    voiceprintRow(accountId, { vector: vectorOf(seed), enrolmentId: `e${seed}`, createdAt: moment() }),
  ) as [VoiceprintRow, VoiceprintRow, VoiceprintRow];
  const derived = voiceprintRow(accountId, {
    modelId: 'model-b',
    derivedFromVoiceprintId: third.voiceprintId,
    createdAt: moment(1),
  });
  await store.transaction(tenantId, async (tx) => {
    // All in one moment: what came back is told by the enrolment, not by the clock.
    for (const row of [first, second, third]) {
      await tx.voiceprints.replace(accountId, row.enrolmentId ?? '', [row], moment());
    }
    await tx.voiceprints.add(derived);
    t.equal(await tx.voiceprints.undo(accountId, 'e2'), null, 'a later one stands');
    t.equal(await tx.voiceprints.undo(accountId, 'e9'), null, 'it made nothing');
    t.same(await tx.voiceprints.undo(accountId, 'e3'), { erased: 2, restored: [second.voiceprintId] });
    t.same(await tx.voiceprints.active(accountId), [second]);
    t.equal(await tx.voiceprints.undo(accountId, 'e3'), null);
    t.same(await tx.voiceprints.undo(accountId, 'e2'), { erased: 1, restored: [first.voiceprintId] });
    t.same(await tx.voiceprints.undo(accountId, 'e1'), { erased: 1, restored: [] });
    t.same(await tx.voiceprints.active(accountId), []);
  });
});

void t.test('an enrolment remembers who began it and when it completed', async (t) => {
  const tenantId = await newTenant(store);
  const row = enrolmentRow(await newAccount(tenantId));
  await store.transaction(tenantId, async (tx) => {
    await tx.enrolments.insert(row);
    await tx.enrolments.setState(row.enrolmentId, 'completed', moment(7));
    t.same(await tx.enrolments.get(row.enrolmentId), { ...row, state: 'completed', completedAt: moment(7) });
    await tx.enrolments.setState(row.enrolmentId, 'undone', moment(9));
    t.same(await tx.enrolments.get(row.enrolmentId), { ...row, state: 'undone', completedAt: moment(7) });
  });
});
