import t from 'tap';
import { withClient } from '../../src/storage/engine.js';
import { openTestEngine } from './open-test-store.js';
import {
  accountRow,
  candidateRow,
  challengeRow,
  consentRow,
  duplicateRow,
  enrolmentRow,
  fresh,
  moment,
  newTenant,
  vectorOf,
  verificationRow,
  voiceprintRow,
} from './rows.js';

const { store, engine } = await openTestEngine(t);
const tenantId = await newTenant(store);

/** Makes an account with a fresh id and answers the id. */
async function newAccount(): Promise<string> {
  const accountId = fresh('account');
  await store.transaction(tenantId, (tx) => tx.accounts.insertIfAbsent(accountRow(accountId)));
  return accountId;
}

void t.test('an account is inserted once and comes back as it was given', async (t) => {
  const row = accountRow("o'hara; drop table accounts--", { pinHash: '$argon2id$x', pinSetAt: moment(5) });
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.accounts.get(row.accountId), null);
    t.equal(await tx.accounts.lock(row.accountId), null);
    t.same(await tx.accounts.insertIfAbsent(row), { row, created: true });
    const second = await tx.accounts.insertIfAbsent(accountRow(row.accountId, { createdAt: moment(9) }));
    t.same(second, { row, created: false });
  });
  await store.transaction(tenantId, async (tx) => {
    t.same(await tx.accounts.get(row.accountId), row);
    await tx.accounts.setPin(row.accountId, '$argon2id$y', moment(60));
    t.same(await tx.accounts.lock(row.accountId), { ...row, pinHash: '$argon2id$y', pinSetAt: moment(60) });
  });
});

void t.test('an opt-out can be set twice, taken back, and outlives the account', async (t) => {
  const hash = Buffer.alloc(32, 17);
  const accountId = await newAccount();
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.accounts.isOptedOut(hash), false);
    await tx.accounts.setOptOut(hash, true, moment());
    await tx.accounts.setOptOut(hash, true, moment(1));
    await tx.accounts.erase(accountId);
    t.equal(await tx.accounts.isOptedOut(hash), true);
    await tx.accounts.setOptOut(hash, false, moment(2));
    t.equal(await tx.accounts.isOptedOut(hash), false);
  });
});

void t.test('the newest consent that was not withdrawn counts', async (t) => {
  const accountId = await newAccount();
  const [older, newer] = [consentRow(accountId), consentRow(accountId, { textVersion: '2026-2', agentId: 'agent-1' })];
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.consents.current(accountId), null);
    await tx.consents.insert(older);
    t.same(await tx.consents.current(accountId), older);
    await tx.consents.insert(newer);
    t.same(await tx.consents.current(accountId), newer);
    t.equal(await tx.consents.withdraw(accountId, moment(3)), 2);
    t.equal(await tx.consents.current(accountId), null);
    t.equal(await tx.consents.withdraw(accountId, moment(4)), 0);
  });
});

void t.test('an enrolment keeps its utterances in order and to the last bit until it is no longer open', async (t) => {
  const accountId = await newAccount();
  const enrolment = enrolmentRow(accountId);
  const { enrolmentId } = enrolment;
  const utterances = [1, 2, 3].map((seed) => ({
    utteranceId: fresh('utterance'),
    enrolmentId,
    modelId: 'model-a',
    embedding: vectorOf(seed),
    netSpeechSeconds: 2.3000000000000003,
    createdAt: moment(),
  }));
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.enrolments.get(enrolmentId), null);
    await tx.enrolments.insert(enrolment);
    t.same(await tx.enrolments.get(enrolmentId), enrolment);
    t.same(await tx.enrolments.lock(enrolmentId), enrolment);
    for (const utterance of utterances) await tx.enrolments.addUtterance(utterance);
    for (const one of utterances) await tx.enrolments.addUtterance({ ...one, modelId: 'model-b', netSpeechSeconds: 1 });
    const found = await tx.enrolments.utterances(enrolmentId, 'model-a');
    t.same(found, utterances);
    t.equal((await tx.enrolments.utterances(enrolmentId, 'model-b')).length, 3, 'each model heard them');
    t.ok(found[0]?.embedding instanceof Float32Array);
    await tx.enrolments.setState(enrolmentId, 'completed', moment());
    t.same(await tx.enrolments.get(enrolmentId), { ...enrolment, state: 'completed', completedAt: moment() });
    t.same(await tx.enrolments.utterances(enrolmentId, 'model-a'), []);
  });
});

void t.test('a new enrolment supersedes the open ones of its account and no others', async (t) => {
  const [accountId, otherId] = [await newAccount(), await newAccount()];
  const [open, done, other] = [enrolmentRow(accountId), enrolmentRow(accountId), enrolmentRow(otherId)];
  await store.transaction(tenantId, async (tx) => {
    for (const row of [open, done, other]) {
      await tx.enrolments.insert(row);
      const utterance = { modelId: 'model-a', embedding: vectorOf(1), netSpeechSeconds: 1, createdAt: moment() };
      await tx.enrolments.addUtterance({ ...utterance, utteranceId: fresh('u'), enrolmentId: row.enrolmentId });
    }
    await tx.enrolments.setState(done.enrolmentId, 'completed', moment());
    await tx.enrolments.supersedeOpen(accountId);
    t.equal((await tx.enrolments.get(open.enrolmentId))?.state, 'superseded');
    t.equal((await tx.enrolments.get(done.enrolmentId))?.state, 'completed');
    t.equal((await tx.enrolments.get(other.enrolmentId))?.state, 'open');
    t.same(await tx.enrolments.utterances(open.enrolmentId, 'model-a'), []);
    t.equal((await tx.enrolments.utterances(other.enrolmentId, 'model-a')).length, 1);
  });
});

void t.test('a voiceprint supersedes the one before and is read back to the last bit', async (t) => {
  const accountId = await newAccount();
  const first = voiceprintRow(accountId);
  const extremes = Float32Array.of(0, -0, 1, -1, 1e-45, 3.4028234663852886e38, 1 / 3, Math.fround(0.1), 16777217);
  const second = voiceprintRow(accountId, {
    vector: extremes,
    createdAt: moment(9),
    supersedesVoiceprintId: first.voiceprintId,
  });
  await store.transaction(tenantId, async (tx) => {
    t.same(await tx.voiceprints.active(accountId), []);
    await tx.voiceprints.replace(accountId, 'enrolment-x', [first], first.createdAt);
    t.same(await tx.voiceprints.active(accountId), [first]);
    await tx.voiceprints.replace(accountId, 'enrolment-x', [second], second.createdAt);
    const active = await tx.voiceprints.active(accountId);
    t.same(active, [second]);
    t.same(active[0]?.vector, extremes);
  });
  const rows = await withClient(engine, (client) =>
    client.query('select superseded_at from voiceprints where voiceprint_id = $1', [first.voiceprintId]),
  );
  t.same(rows.rows, [{ superseded_at: moment(9) }]);
  await t.rejects(
    store.transaction(tenantId, (tx) =>
      tx.voiceprints.add(voiceprintRow(accountId, { modelId: 'model-c', vector: Float32Array.of(NaN) })),
    ),
    RangeError,
  );
});

void t.test('erasing all prints takes the utterances of open enrolments with them', async (t) => {
  const accountId = await newAccount();
  const enrolment = enrolmentRow(accountId);
  await store.transaction(tenantId, async (tx) => {
    await tx.voiceprints.replace(accountId, 'enrolment-x', [voiceprintRow(accountId)], moment());
    await tx.voiceprints.replace(accountId, 'enrolment-x', [voiceprintRow(accountId)], moment(1));
    await tx.enrolments.insert(enrolment);
    const { enrolmentId } = enrolment;
    await tx.enrolments.addUtterance({
      utteranceId: fresh('u'),
      enrolmentId,
      modelId: 'model-a',
      embedding: vectorOf(1),
      netSpeechSeconds: 1,
      createdAt: moment(),
    });
    t.equal(await tx.voiceprints.eraseAll(accountId), 2);
    t.same(await tx.voiceprints.active(accountId), []);
    t.same(await tx.enrolments.utterances(enrolmentId, 'model-a'), []);
    t.equal(await tx.voiceprints.eraseAll(accountId), 0);
  });
});

void t.test('an erased account leaves its id in no column of any table', async (t) => {
  const accountId = `subscriber-${fresh('erase')}-\u00e9`;
  const callId = fresh('call-of-the-erased');
  const kept = verificationRow(accountId, { callId });
  const otherId = await newAccount();
  await store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    await tx.consents.insert(consentRow(accountId));
    await tx.consents.insert(consentRow(otherId));
    const enrolment = enrolmentRow(accountId);
    await tx.enrolments.insert(enrolment);
    await tx.enrolments.addUtterance({
      utteranceId: fresh('u'),
      enrolmentId: enrolment.enrolmentId,
      modelId: 'model-a',
      embedding: vectorOf(1),
      netSpeechSeconds: 1,
      createdAt: moment(),
    });
    const print = voiceprintRow(accountId);
    await tx.voiceprints.add(print);
    await tx.challenges.insert(challengeRow(accountId));
    await tx.attempts.lock(accountId);
    await tx.velocity.record('line:ab', accountId, moment());
    await tx.verifications.insert(kept);
    await tx.modelChange.addCandidate(candidateRow(print));
    await tx.duplicates.insert(duplicateRow(accountId, otherId));
    await tx.duplicates.insert(duplicateRow(otherId, accountId));
    const request = { apiKeyId: 'key-1', requestSha256: Buffer.alloc(32), createdAt: moment(), response: null };
    await tx.idempotency.begin({ ...request, idempotencyKey: 'names-it' });
    await tx.idempotency.finish('key-1', 'names-it', { status: 200, body: { accountId } });
    await tx.idempotency.begin({ ...request, idempotencyKey: 'names-another' });
    await tx.idempotency.finish('key-1', 'names-another', { status: 200, body: { accountId: otherId } });
  });
  t.same([...(await tablesWith(accountId))].sort(), [
    'accounts',
    'attempts',
    'challenges',
    'consents',
    'duplicate_findings',
    'enrolments',
    'idempotent_requests',
    'velocity_failures',
    'verifications',
    'voiceprint_candidates',
    'voiceprints',
  ]);
  await store.transaction(tenantId, (tx) => tx.accounts.erase(accountId));
  t.same(await tablesWith(accountId), []);
  t.same(await tablesWith(callId), []);
  await store.transaction(tenantId, async (tx) => {
    const left = { ...kept, accountId: null, callId: null, lineHash: null };
    t.same(await tx.verifications.get(kept.verificationId), left);
    t.not(await tx.accounts.get(otherId), null);
    t.not(await tx.consents.current(otherId), null);
  });
  const { rows } = await withClient(engine, (client) =>
    client.query<{ left: number }>(
      `select ((select count(*) from enrolment_utterances u left join enrolments using (tenant_id, enrolment_id)
                where enrolments.enrolment_id is null)
             + (select count(*) from voiceprint_utterances u left join voiceprints using (tenant_id, voiceprint_id)
                where voiceprints.voiceprint_id is null))::integer as left`,
    ),
  );
  t.same(rows, [{ left: 0 }], 'no embedding outlives its owner');
});

/** Names of the tables in which the text stands in any column. */
async function tablesWith(text: string): Promise<string[]> {
  return withClient(engine, async (client) => {
    const tables = await client.query<{ table_name: string }>(
      `select table_name from information_schema.tables where table_schema = 'public' order by table_name`,
    );
    const found: string[] = [];
    for (const { table_name: table } of tables.rows) {
      const hits = await client.query(`select 1 from "${table}" each_row where position($1 in each_row::text) > 0`, [
        text,
      ]);
      if (hits.rows.length > 0) found.push(table);
    }
    return found;
  });
}
