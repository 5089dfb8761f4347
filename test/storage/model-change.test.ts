import t from 'tap';
import type { VoiceprintRow } from '../../src/service/ports.js';
import { openTestStore } from './open-test-store.js';
import {
  accountRow,
  candidateRow,
  fresh,
  moment,
  newTenant,
  vectorOf,
  verificationRow,
  voiceprintRow,
} from './rows.js';

const store = await openTestStore(t);

/** An account with a print by model-a, and perhaps one by model-b. */
async function holder(tenantId: string, b: 'none' | 'derived' | 'enrolled' = 'none'): Promise<VoiceprintRow> {
  const accountId = fresh('account');
  const print = voiceprintRow(accountId);
  await store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    await tx.voiceprints.add(print);
    if (b === 'none') return;
    const derivedFromVoiceprintId = b === 'derived' ? print.voiceprintId : null;
    await tx.voiceprints.add(
      voiceprintRow(accountId, { modelId: 'model-b', createdAt: moment(5), derivedFromVoiceprintId }),
    );
  });
  return print;
}

const modelsOf = (tenantId: string, accountId: string): Promise<string[]> =>
  store.transaction(tenantId, async (tx) => (await tx.voiceprints.active(accountId)).map(({ modelId }) => modelId));

void t.test('an account holds one print by each model and not two by one', async (t) => {
  const tenantId = await newTenant(store);
  const { accountId } = await holder(tenantId, 'derived');
  t.same(await modelsOf(tenantId, accountId), ['model-a', 'model-b']);
  await t.rejects(
    store.transaction(tenantId, (tx) => tx.voiceprints.add(voiceprintRow(accountId))),
    /voiceprints_active/,
  );
});

void t.test('candidates come back to the last bit, in order, and one call gives one', async (t) => {
  const tenantId = await newTenant(store);
  const print = await holder(tenantId);
  const rows = [1, 2, 3].map((seed) => candidateRow(print, { embedding: vectorOf(seed) }));
  await store.transaction(tenantId, async (tx) => {
    for (const row of rows) await tx.modelChange.addCandidate(row);
    t.same(await tx.modelChange.candidates(print.accountId, 'model-b'), rows);
    t.same(await tx.modelChange.candidates(print.accountId, 'model-c'), []);
    await tx.modelChange.dropCandidate(rows[1]?.verificationId ?? '', 'model-b');
    t.same(await tx.modelChange.candidates(print.accountId, 'model-b'), [rows[0], rows[2]]);
  });
  const again = rows[0];
  if (again !== undefined) await t.rejects(store.transaction(tenantId, (tx) => tx.modelChange.addCandidate(again)));
  await store.transaction(tenantId, (tx) => tx.modelChange.dropCandidates(print.accountId, 'model-b'));
  await store.transaction(tenantId, async (tx) => {
    t.same(await tx.modelChange.candidates(print.accountId, 'model-b'), []);
  });
});

void t.test('what was gathered goes when the print is replaced or erased', async (t) => {
  const tenantId = await newTenant(store);
  const [replaced, erased] = [await holder(tenantId), await holder(tenantId)];
  await store.transaction(tenantId, async (tx) => {
    for (const print of [replaced, erased]) await tx.modelChange.addCandidate(candidateRow(print));
    await tx.voiceprints.replace(replaced.accountId, 'enrolment-x', [voiceprintRow(replaced.accountId)], moment(9));
    t.same(await tx.modelChange.candidates(replaced.accountId, 'model-b'), []);
    t.equal((await tx.modelChange.candidates(erased.accountId, 'model-b')).length, 1);
    await tx.voiceprints.eraseAll(erased.accountId);
    t.same(await tx.modelChange.candidates(erased.accountId, 'model-b'), []);
  });
});

void t.test('counts say who has moved, who waits, and how often those call', async (t) => {
  const tenantId = await newTenant(store);
  const [often, seldom, never] = [await holder(tenantId), await holder(tenantId), await holder(tenantId)];
  await holder(tenantId, 'derived');
  await holder(tenantId, 'enrolled');
  const calls = (print: VoiceprintRow, llrs: readonly number[], change = {}) =>
    llrs.map((llr) =>
      verificationRow(print.accountId, {
        tier: 'high',
        decision: { kind: 'ACCEPT', reasons: [] },
        createdAt: moment(100),
        evidence: { ...verificationRow(null).evidence, voice: { kind: 'compared', llr } as never },
        ...change,
      }),
    );
  await store.transaction(tenantId, async (tx) => {
    const rows = [
      ...calls(often, [9, 9, 1]),
      ...calls(seldom, [9]),
      ...calls(seldom, [9, 9], { tier: 'low' }),
      ...calls(seldom, [9], { createdAt: moment(-100) }),
      ...calls(never, [9], { decision: { kind: 'STEP_UP', reasons: ['PIN_MISSING'] } }),
    ];
    for (const row of rows) await tx.verifications.insert(row);
    await tx.modelChange.addCandidate(candidateRow(often));
    t.same(await tx.modelChange.counts('model-b', 3, 4.5, moment()), {
      both: 2,
      moved: 0,
      waiting: 3,
      gathering: 1,
      utterancesGathered: 1,
      calling: 2,
      calls: 3,
      // often misses 2 and called twice, seldom misses 3 and called once
      medianMissingPerCall: (1 + 3) / 2,
      firstCallAt: moment(100),
    });
    t.same(await tx.modelChange.prints(), [
      { modelId: 'model-a', voiceprints: 5, derived: 0 },
      { modelId: 'model-b', voiceprints: 2, derived: 1 },
    ]);
    const nobody = await tx.modelChange.counts('model-c', 3, 4.5, moment(200));
    t.match(nobody, {
      both: 0,
      moved: 0,
      waiting: 5,
      calling: 0,
      calls: 0,
      medianMissingPerCall: null,
      firstCallAt: null,
    });
  });
});

void t.test('undo takes derived prints and candidates, and never an account’s last print', async (t) => {
  const tenantId = await newTenant(store);
  const [derived, enrolled, gathering, last] = [
    await holder(tenantId, 'derived'),
    await holder(tenantId, 'enrolled'),
    await holder(tenantId),
    await holder(tenantId, 'derived'),
  ];
  await store.transaction(tenantId, async (tx) => {
    await tx.modelChange.addCandidate(candidateRow(gathering));
    t.equal(await tx.modelChange.finish('model-b', last.accountId), 1);
    t.same(await tx.modelChange.undoable('model-b', 9), [derived.accountId, gathering.accountId].sort());
    t.equal((await tx.modelChange.undoable('model-b', 1)).length, 1);
    const undone = [];
    for (const { accountId } of [derived, enrolled, gathering, last]) {
      undone.push(await tx.modelChange.undo('model-b', accountId));
    }
    t.same(undone, [
      { voiceprints: 1, candidates: 0 },
      { voiceprints: 0, candidates: 0 },
      { voiceprints: 0, candidates: 1 },
      { voiceprints: 0, candidates: 0 },
    ]);
    t.same(await tx.modelChange.undoable('model-b', 9), []);
    t.same(await tx.modelChange.candidates(gathering.accountId, 'model-b'), []);
  });
  t.same(await modelsOf(tenantId, derived.accountId), ['model-a']);
  t.same(await modelsOf(tenantId, enrolled.accountId), ['model-a', 'model-b']);
  t.same(await modelsOf(tenantId, last.accountId), ['model-b']);
});

void t.test(
  'finish takes the other models’ prints of those who have moved, the superseded too, and of nobody else',
  async (t) => {
    const tenantId = await newTenant(store);
    const [moved, waiting] = [await holder(tenantId, 'derived'), await holder(tenantId)];
    await store.transaction(tenantId, async (tx) => {
      const older = voiceprintRow(moved.accountId, { supersededAt: moment(1) });
      await tx.voiceprints.add(older);
      t.same(await tx.modelChange.finishable('model-b', 9), [moved.accountId]);
      t.equal(await tx.modelChange.finish('model-b', moved.accountId), 2);
      t.equal(await tx.modelChange.finish('model-b', waiting.accountId), 0);
      t.same(await tx.modelChange.finishable('model-b', 9), []);
    });
    t.same(await modelsOf(tenantId, moved.accountId), ['model-b']);
    t.same(await modelsOf(tenantId, waiting.accountId), ['model-a']);
  },
);
