import { randomBytes } from 'node:crypto';
import t from 'tap';
import { withClient } from '../../src/storage/engine.js';
import { tenantQuery } from '../../src/storage/tenant-query.js';
import { openTestEngine } from './open-test-store.js';
import {
  accountRow,
  agentVoiceprintRow,
  apiKeyRow,
  candidateRow,
  challengeRow,
  consentRow,
  duplicateRow,
  enrolmentRow,
  moment,
  newTenant,
  policyDocument,
  streamRow,
  vectorOf,
  verificationRow,
  voiceprintRow,
} from './rows.js';

const { store, engine } = await openTestEngine(t);
const accountId = 'subscriber-1';
const hash = Buffer.alloc(32, 4);
const by = { apiKeyId: null, agentId: null };

/** A tenant with a row in every table, about the same account id. */
async function furnished() {
  const tenantId = await newTenant(store);
  const voiceprint = voiceprintRow(accountId);
  const rows = {
    consent: consentRow(accountId),
    enrolment: enrolmentRow(accountId),
    voiceprint,
    derived: voiceprintRow(accountId, { modelId: 'model-b', derivedFromVoiceprintId: voiceprint.voiceprintId }),
    candidate: candidateRow(voiceprint),
    challenge: challengeRow(accountId),
    verification: verificationRow(accountId, { decision: { kind: 'CONTINUE', reasons: ['VOICE_UNSURE'] } }),
    key: apiKeyRow(tenantId),
    stream: streamRow(accountId),
    duplicate: duplicateRow(accountId, accountId, { allowed: true, resolvedAt: moment() }),
    session: { tokenSha256: randomBytes(32), keyId: '', createdAt: moment(), seenAt: moment() },
  };
  const request = { apiKeyId: 'k', idempotencyKey: 'i', requestSha256: hash, response: null, createdAt: moment() };
  const { enrolmentId } = rows.enrolment;
  const utterance = {
    utteranceId: 'u',
    enrolmentId,
    modelId: 'model-a',
    embedding: vectorOf(1),
    netSpeechSeconds: 1,
    createdAt: moment(),
  };
  const followUp = verificationRow(accountId, { continuesVerificationId: rows.verification.verificationId });
  await store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    await tx.accounts.setOptOut(hash, true, moment());
    await tx.consents.insert(rows.consent);
    await tx.enrolments.insert(rows.enrolment);
    await tx.enrolments.addUtterance(utterance);
    await tx.voiceprints.add(rows.voiceprint);
    await tx.voiceprints.add(rows.derived);
    await tx.modelChange.addCandidate(rows.candidate);
    await tx.challenges.insert(rows.challenge);
    await tx.attempts.save(accountId, { failures: 2, wrongPins: 1, lockedUntil: moment(), disabled: true });
    await tx.velocity.record('line:1', accountId, moment());
    await tx.verifications.insert(rows.verification);
    await tx.verifications.insert(followUp);
    await tx.policies.insert(policyDocument, moment(), 'k');
    await tx.policies.activate(1);
    await tx.apiKeys.insert(rows.key);
    await tx.sessions.insert({ ...rows.session, keyId: rows.key.keyId });
    await tx.streams.insert(rows.stream);
    await tx.agents.replace('a7', [agentVoiceprintRow('a7')]);
    await tx.duplicates.insert(rows.duplicate);
    await tx.idempotency.begin(request);
    await tx.audit.append({ by, kind: 'policy_stored', version: 1 }, moment());
  });
  return { tenantId, ...rows };
}

/** Every row of the tenant in every table, as text. */
async function everything(tenantId: string): Promise<Record<string, string[]>> {
  return withClient(engine, async (client) => {
    const tables = await client.query<{ table_name: string }>(
      `select table_name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'
       order by table_name`,
    );
    const rows: Record<string, string[]> = {};
    for (const { table_name: table } of tables.rows) {
      const found = await client.query<{ row: string }>(
        `select each_row::text as row from "${table}" each_row where tenant_id = $1 order by 1`,
        [tenantId],
      );
      rows[table] = found.rows.map(({ row }) => row);
    }
    return rows;
  });
}

void t.test('every table but the list of migrations carries the tenant in its primary key', async (t) => {
  const { rows } = await withClient(engine, (client) =>
    client.query<{ table_name: string; columns: string[] }>(
      `select tables.table_name, array_agg(key.column_name::text) as columns from information_schema.tables tables
       left join information_schema.table_constraints pk
         on pk.table_schema = 'public' and pk.table_name = tables.table_name and pk.constraint_type = 'PRIMARY KEY'
       left join information_schema.key_column_usage key
         on key.constraint_schema = 'public' and key.constraint_name = pk.constraint_name
       where tables.table_schema = 'public' group by tables.table_name order by 1`,
    ),
  );
  const without = rows.filter(({ columns }) => !columns.includes('tenant_id')).map((row) => row.table_name);
  t.same(without, ['schema_migrations']);
  t.equal(rows.length, 23);
});

void t.test('a statement that does not ask for its tenant cannot run', async (t) => {
  await withClient(engine, async (client) => {
    const query = tenantQuery(client, 'tenant-x');
    await t.rejects(query('select account_id from accounts'), { code: '08P01' });
    await t.rejects(query('select account_id from accounts where account_id = $2', 'a'), { code: '42P18' });
  });
});

void t.test('a tenant sees none of another tenant’s rows', async (t) => {
  const theirs = await furnished();
  const mine = await newTenant(store);
  await store.transaction(mine, async (tx) => {
    t.equal(await tx.accounts.get(accountId), null);
    t.equal(await tx.accounts.lock(accountId), null);
    t.equal(await tx.accounts.isOptedOut(hash), false);
    t.equal(await tx.consents.current(accountId), null);
    t.equal(await tx.enrolments.get(theirs.enrolment.enrolmentId), null);
    t.equal(await tx.enrolments.lock(theirs.enrolment.enrolmentId), null);
    t.same(await tx.enrolments.utterances(theirs.enrolment.enrolmentId, 'model-a'), []);
    t.same(await tx.voiceprints.active(accountId), []);
    t.same(await tx.modelChange.candidates(accountId, 'model-b'), []);
    t.same(await tx.modelChange.prints(), []);
    t.equal((await tx.modelChange.counts('model-b', 3, 0, moment(-9))).both, 0);
    t.equal(await tx.challenges.get(theirs.challenge.challengeId), null);
    t.same(await tx.challenges.recentDigits(accountId, 5), []);
    t.equal((await tx.attempts.get(accountId)).failures, 0);
    t.equal((await tx.velocity.counts('line:1', moment(-9))).failures, 0);
    t.equal(await tx.verifications.get(theirs.verification.verificationId), null);
    t.equal(await tx.verifications.lock(theirs.verification.verificationId), null);
    t.equal(await tx.verifications.isContinued(theirs.verification.verificationId), false);
    t.equal(await tx.verifications.continuesInCall(accountId, 'call-1'), 0);
    t.equal(await tx.policies.active(), null);
    t.equal(await tx.policies.get(1), null);
    t.same(await tx.policies.list(), []);
    t.same(await tx.apiKeys.list(), []);
    t.equal(await tx.streams.get(theirs.stream.streamId), null);
    t.same(await tx.audit.page(0, 10), []);
    t.equal(await tx.audit.head(), null);
  });
});

void t.test('nothing a tenant does, with another tenant’s ids, changes a row of that tenant', async (t) => {
  const theirs = await furnished();
  const before = await everything(theirs.tenantId);
  for (const [table, rows] of Object.entries(before)) t.ok(rows.length > 0, `${table} is furnished`);
  const mine = await newTenant(store);
  const later = new Date(Date.now() + 1e9);
  await store.transaction(mine, async (tx) => {
    t.equal((await tx.accounts.insertIfAbsent(accountRow(accountId))).created, true);
    await tx.accounts.setPin(accountId, 'x', moment());
    await tx.accounts.setOptOut(hash, false, moment());
    t.equal(await tx.consents.withdraw(accountId, moment()), 0);
    await tx.enrolments.supersedeOpen(accountId);
    await tx.enrolments.setState(theirs.enrolment.enrolmentId, 'cancelled', moment());
    await tx.voiceprints.replace(accountId, 'enrolment-x', [voiceprintRow(accountId)], moment());
    t.equal(await tx.voiceprints.undo(accountId, theirs.enrolment.enrolmentId), null);
    t.equal(await tx.agents.replace('a7', []), 0);
    t.equal(await tx.duplicates.resolve(theirs.duplicate.findingId, false, moment()), null);
    await tx.modelChange.dropCandidate(theirs.candidate.verificationId, 'model-b');
    await tx.modelChange.dropCandidates(accountId, 'model-b');
    t.same(await tx.modelChange.undoable('model-b', 9), []);
    t.same(await tx.modelChange.undo('model-b', accountId), { voiceprints: 0, candidates: 0 });
    t.same(await tx.modelChange.finishable('model-b', 9), []);
    t.equal(await tx.modelChange.finish('model-b', accountId), 0);
    t.equal(await tx.voiceprints.eraseAll(accountId), 1);
    t.equal(await tx.challenges.claim(theirs.challenge.challengeId, moment()), false);
    await tx.challenges.expireOldest(accountId, 0, moment());
    t.equal(await tx.challenges.purge(later), 0);
    await tx.attempts.lock(accountId);
    await tx.attempts.save(accountId, { failures: 9, wrongPins: 9, lockedUntil: null, disabled: false });
    t.equal(await tx.attempts.purgeUnknown(later), 0);
    t.equal(await tx.velocity.purge(later), 0);
    const outcome = { factor: null, passed: null, label: null, recordedAt: moment() };
    await tx.verifications.setOutcome(theirs.verification.verificationId, outcome);
    t.equal((await tx.policies.insert(policyDocument, moment(), 'k')).version, 1);
    await tx.policies.activate(1);
    t.equal(await tx.apiKeys.revoke(theirs.key.keyId, moment()), false);
    await tx.sessions.seen(theirs.session.tokenSha256, later);
    t.equal(await tx.sessions.remove(theirs.session.tokenSha256), false);
    t.equal(await tx.sessions.purge(later), 0);
    const broken = { kind: 'none', decision: 'INCONCLUSIVE', reasons: ['SERVICE_RESTARTED'], cause: 'test' } as const;
    t.equal(await tx.streams.start(theirs.stream.streamId, moment(), later), false);
    await tx.streams.renew([theirs.stream.streamId], later);
    t.equal(await tx.streams.end(theirs.stream.streamId, broken, moment()), false);
    t.same(await tx.streams.interrupt(broken, later), []);
    t.equal(await tx.streams.purge(later), 0);
    await tx.idempotency.finish('k', 'i', { status: 200, body: {} });
    await tx.idempotency.forget('k', 'i');
    t.equal(await tx.idempotency.purge(later), 0);
    t.equal((await tx.audit.append({ by, kind: 'policy_stored', version: 1 }, moment())).seq, 1);
    await tx.accounts.erase(accountId);
  });
  t.same(await everything(theirs.tenantId), before);
});

void t.test('a row cannot refer to a row of another tenant', async (t) => {
  const theirs = await furnished();
  const mine = await newTenant(store);
  const { enrolmentId } = theirs.enrolment;
  const utterance = {
    utteranceId: 'v',
    enrolmentId,
    modelId: 'model-a',
    embedding: vectorOf(1),
    netSpeechSeconds: 1,
    createdAt: moment(),
  };
  await t.rejects(
    store.transaction(mine, (tx) => tx.enrolments.addUtterance(utterance)),
    /foreign key/,
  );
  await t.rejects(
    store.transaction(mine, (tx) => tx.consents.insert(consentRow(accountId))),
    /foreign key/,
  );
});

void t.test('tenants are listed by id, and an id is taken once', async (t) => {
  const tenant = { tenantId: 'aaa', name: 'First', createdAt: moment() };
  await store.createTenant(tenant);
  await t.rejects(store.createTenant({ ...tenant, name: 'Second' }), { code: 'conflict' });
  t.same((await store.listTenants())[0], tenant);
  const unknown = store.transaction('nobody', (tx) =>
    tx.audit.append({ by, kind: 'policy_stored', version: 1 }, moment()),
  );
  await t.rejects(unknown, { code: 'not_found' });
});
