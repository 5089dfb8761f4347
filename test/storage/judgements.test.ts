import { inspect } from 'node:util';
import t from 'tap';
import { openTestStore } from './open-test-store.js';
import {
  accountRow,
  apiKeyRow,
  challengeRow,
  fresh,
  moment,
  newTenant,
  policyDocument,
  verificationRow,
} from './rows.js';

const store = await openTestStore(t);
const tenantId = await newTenant(store);

void t.test('a challenge comes back as it was given and is claimed once', async (t) => {
  const row = challengeRow('nobody');
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.challenges.get(row.challengeId), null);
    await tx.challenges.insert(row);
    t.same(await tx.challenges.get(row.challengeId), row);
    t.equal(await tx.challenges.claim(row.challengeId, moment(1)), true);
    t.equal(await tx.challenges.claim(row.challengeId, moment(2)), false);
    t.same(await tx.challenges.get(row.challengeId), { ...row, usedAt: moment(1) });
    t.equal(await tx.challenges.claim('unknown', moment(2)), false);
  });
});

void t.test('recent digits are the newest first, used or not', async (t) => {
  await store.transaction(tenantId, async (tx) => {
    for (const digits of ['111111', '222222', '333333']) {
      await tx.challenges.insert(challengeRow('caller-a', { digits, usedAt: moment() }));
    }
    t.same(await tx.challenges.recentDigits('caller-a', 2), ['333333', '222222']);
    t.same(await tx.challenges.recentDigits('caller-b', 2), []);
  });
});

void t.test('the oldest open challenges expire, used and expired ones do not count', async (t) => {
  const accountId = fresh('caller');
  const rows = [1, 2, 3, 4].map(() => challengeRow(accountId));
  const used = challengeRow(accountId, { usedAt: moment(1) });
  const expired = challengeRow(accountId, { expiresAt: moment(5) });
  await store.transaction(tenantId, async (tx) => {
    for (const row of [...rows, used, expired]) await tx.challenges.insert(row);
    await tx.challenges.expireOldest(accountId, 2, moment(10));
    const expiries = [];
    for (const row of [...rows, used, expired]) expiries.push((await tx.challenges.get(row.challengeId))?.expiresAt);
    t.same(expiries, [moment(10), moment(10), moment(120), moment(120), moment(120), moment(5)]);
  });
});

void t.test('a purge takes old challenges but keeps the newest five of an account', async (t) => {
  const ownTenant = await newTenant(store);
  await store.transaction(ownTenant, async (tx) => {
    for (let i = 0; i < 8; i++) await tx.challenges.insert(challengeRow('caller-a', { digits: `${i}` }));
    await tx.challenges.insert(challengeRow('caller-b'));
    t.equal(await tx.challenges.purge(moment(120)), 0, 'none expired before');
    t.equal(await tx.challenges.purge(moment(121)), 3);
    t.same(await tx.challenges.recentDigits('caller-a', 10), ['7', '6', '5', '4', '3']);
    t.equal((await tx.challenges.recentDigits('caller-b', 10)).length, 1);
  });
});

void t.test('attempts start fresh, are saved, and those of unknown ids are forgotten', async (t) => {
  const [known, unknown] = [fresh('known'), fresh('unknown')];
  const failed = { failures: 3, wrongPins: 2, lockedUntil: moment(30), disabled: true };
  const none = { failures: 0, wrongPins: 0, lockedUntil: null, disabled: false };
  await store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(known));
    t.same(await tx.attempts.get(unknown), none);
    for (const accountId of [known, unknown]) {
      t.same(await tx.attempts.lock(accountId), none);
      await tx.attempts.save(accountId, failed);
      t.same(await tx.attempts.get(accountId), failed);
      t.same(await tx.attempts.lock(accountId), failed);
    }
  });
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.attempts.purgeUnknown(new Date(Date.now() - 3_600_000)), 0);
    t.equal(await tx.attempts.purgeUnknown(new Date(Date.now() + 3_600_000)), 1);
    t.same(await tx.attempts.get(unknown), none);
    t.same(await tx.attempts.get(known), failed);
  });
});

void t.test('velocity counts failures and different accounts of a subject since a time', async (t) => {
  await store.transaction(tenantId, async (tx) => {
    await tx.velocity.lock('line:1');
    t.same(await tx.velocity.counts('line:1', moment()), { distinctAccounts: 0, failures: 0 });
    await tx.velocity.record('line:1', 'a', moment(1));
    await tx.velocity.record('line:1', 'a', moment(2));
    await tx.velocity.record('line:1', 'b', moment(3));
    await tx.velocity.record('line:2', 'c', moment(3));
    t.same(await tx.velocity.counts('line:1', moment()), { distinctAccounts: 2, failures: 3 });
    t.same(await tx.velocity.counts('line:1', moment(2)), { distinctAccounts: 2, failures: 2 });
    t.equal(await tx.velocity.purge(moment(3)), 2);
    t.same(await tx.velocity.counts('line:1', moment()), { distinctAccounts: 1, failures: 1 });
  });
});

void t.test('a verification comes back as it was given, numbers to the last digit', async (t) => {
  const row = verificationRow('caller-a');
  const bare = verificationRow(null, {
    challengeId: null,
    callId: null,
    lineHash: null,
    channel: null,
    agentId: 'agent-2',
    continuesVerificationId: row.verificationId,
    decision: { kind: 'ACCEPT', reasons: [] },
    outcome: { factor: 'sms', passed: false, label: 'fraud', recordedAt: moment(9) },
  });
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.verifications.get(row.verificationId), null);
    await tx.verifications.insert(row);
    t.same(await tx.verifications.get(row.verificationId), row);
    t.equal(await tx.verifications.isContinued(row.verificationId), false);
    await tx.verifications.insert(bare);
    t.same(await tx.verifications.lock(bare.verificationId), bare);
    t.equal(await tx.verifications.isContinued(row.verificationId), true);
    const outcome = { factor: null, passed: null, label: 'genuine', recordedAt: moment(10) } as const;
    await tx.verifications.setOutcome(row.verificationId, outcome);
    t.same((await tx.verifications.get(row.verificationId))?.outcome, outcome);
  });
});

void t.test('CONTINUE answers are counted by account and call', async (t) => {
  const continued = { decision: { kind: 'CONTINUE', reasons: ['VOICE_UNSURE'] } } as const;
  await store.transaction(tenantId, async (tx) => {
    await tx.verifications.insert(verificationRow('caller-c', { ...continued, callId: 'c1' }));
    await tx.verifications.insert(verificationRow('caller-c', { ...continued, callId: 'c1' }));
    await tx.verifications.insert(verificationRow('caller-c', { ...continued, callId: 'c2' }));
    await tx.verifications.insert(verificationRow('caller-c', { callId: 'c1' }));
    await tx.verifications.insert(verificationRow('caller-d', { ...continued, callId: 'c1' }));
    t.equal(await tx.verifications.continuesInCall('caller-c', 'c1'), 2);
    t.equal(await tx.verifications.continuesInCall('caller-c', 'c3'), 0);
  });
});

void t.test('the database itself keeps no acceptance with a wrong PIN', async (t) => {
  const row = verificationRow('caller-a');
  const wrong = {
    ...row,
    decision: { kind: 'ACCEPT', reasons: [] },
    evidence: { ...row.evidence, pin: 'wrong' },
  } as const;
  await t.rejects(
    store.transaction(tenantId, (tx) => tx.verifications.insert(wrong)),
    /violates check constraint/,
  );
});

void t.test('policies are numbered from 1 and one is active', async (t) => {
  const ownTenant = await newTenant(store);
  await store.transaction(ownTenant, async (tx) => {
    t.equal(await tx.policies.active(), null);
    const first = await tx.policies.insert(policyDocument, moment(), 'key-1');
    t.same(first, { version: 1, document: policyDocument, createdAt: moment(), createdBy: 'key-1', active: false });
    t.equal((await tx.policies.insert(policyDocument, moment(1), 'key-2')).version, 2);
    await tx.policies.activate(1);
    await tx.policies.activate(2);
    await tx.policies.activate(2);
    t.equal((await tx.policies.active())?.version, 2);
    t.same(await tx.policies.get(1), first);
    t.equal(await tx.policies.get(3), null);
    t.same(
      (await tx.policies.list()).map(({ version, active }) => [version, active]),
      [
        [1, false],
        [2, true],
      ],
    );
    await t.rejects(tx.policies.activate(3), { code: 'policy_unknown' });
  });
});

void t.test('an API key is found by its id over all tenants and revoked once', async (t) => {
  const row = apiKeyRow(tenantId);
  t.equal(await store.findApiKey(row.keyId), null);
  await store.transaction(tenantId, async (tx) => {
    await tx.apiKeys.insert(row);
    t.same(await tx.apiKeys.list(), [row]);
  });
  t.same(await store.findApiKey(row.keyId), row);
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.apiKeys.revoke(row.keyId, moment(5)), true);
    t.equal(await tx.apiKeys.revoke(row.keyId, moment(6)), false);
    t.equal(await tx.apiKeys.revoke('unknown', moment(6)), false);
  });
  t.same(await store.findApiKey(row.keyId), { ...row, revokedAt: moment(5) });
});

void t.test('a repeated request finds the first one, unfinished or with its answer', async (t) => {
  const request = {
    apiKeyId: 'key-1',
    idempotencyKey: fresh('request'),
    requestSha256: Buffer.alloc(32, 1),
    response: null,
    createdAt: moment(),
  };
  const again = { ...request, requestSha256: Buffer.alloc(32, 2), createdAt: moment(5) };
  const response = { status: 201, body: { z: 1, a: ['x', null], é: 0.30000000000000004 } };
  await store.transaction(tenantId, async (tx) => {
    t.equal(await tx.idempotency.begin(request), null);
    t.same(await tx.idempotency.begin(again), request);
    await tx.idempotency.finish('key-1', request.idempotencyKey, response);
    const found = await tx.idempotency.begin(again);
    t.same(found, { ...request, response });
    t.equal(JSON.stringify(found?.response?.body), JSON.stringify(response.body), 'in the same order');
    await tx.idempotency.forget('key-1', request.idempotencyKey);
    t.same((await tx.idempotency.begin(again))?.response, response, 'a finished one is not forgotten');
  });
  await store.transaction(tenantId, async (tx) => {
    const other = { ...request, idempotencyKey: fresh('request'), createdAt: moment(60) };
    t.equal(await tx.idempotency.begin(other), null);
    await tx.idempotency.forget('key-1', other.idempotencyKey);
    t.equal(await tx.idempotency.begin(other), null);
    t.equal(await tx.idempotency.purge(moment(30)), 1);
    t.not(await tx.idempotency.begin(other), null);
  });
});

void t.test('a text that no database can hold is a bad request, and the transaction is undone', async (t) => {
  const accountId = fresh('account');
  const work = store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    await tx.accounts.get('nul\u0000');
  });
  await t.rejects(work, { code: 'invalid_request' });
  t.equal(await store.transaction(tenantId, (tx) => tx.accounts.get(accountId)), null);
});

void t.test('an error of the database shows no values of the row it refused', async (t) => {
  const row = verificationRow('caller-who-must-not-be-named', { continuesGiven: -1 });
  const work = store.transaction(tenantId, (tx) => tx.verifications.insert(row));
  const error: unknown = await work.catch((error: unknown) => error);
  t.match(error, { code: '23514', message: /violates check constraint/ });
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), /must-not-be-named/);
});

void t.test('work that swallows a failed statement commits nothing and is told so', async (t) => {
  const accountId = fresh('account');
  const work = store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    await tx.accounts.get('nul\u0000').catch(() => null);
  });
  await t.rejects(work, /nothing was committed/);
  t.equal(await store.transaction(tenantId, (tx) => tx.accounts.get(accountId)), null);
});

void t.test('what the work throws comes out unchanged and undoes everything', async (t) => {
  const accountId = fresh('account');
  const reason = new Error('changed my mind');
  const work = store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    throw reason;
  });
  await t.rejects(work, reason);
  t.equal(await store.transaction(tenantId, (tx) => tx.accounts.get(accountId)), null);
});
