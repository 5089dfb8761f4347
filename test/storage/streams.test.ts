import t from 'tap';
import type { StreamOutcome } from '../../src/service/ports.js';
import { openTestStore } from './open-test-store.js';
import { moment, newTenant, streamRow } from './rows.js';

const store = await openTestStore(t);
const tenantId = await newTenant(store);
const lost: StreamOutcome = {
  kind: 'none',
  decision: 'INCONCLUSIVE',
  reasons: ['SERVICE_RESTARTED'],
  cause: 'node_lost',
};
const accepted: StreamOutcome = { kind: 'verdict', decision: 'ACCEPT', reasons: [], verificationId: 'ver_1' };

/** A stream that waits for its door, until a minute from the tests' moment. */
async function registered(changes: Parameters<typeof streamRow>[1] = {}) {
  const row = streamRow('caller', { state: 'registered', startedAt: null, leaseUntil: null, ...changes });
  await store.transaction(tenantId, (tx) => tx.streams.insert(row));
  return row;
}
const start = (streamId: string, at = moment(1), leaseUntil = moment(31)) =>
  store.transaction(tenantId, (tx) => tx.streams.start(streamId, at, leaseUntil));
const get = (streamId: string) => store.transaction(tenantId, (tx) => tx.streams.get(streamId));
const end = (streamId: string, outcome: StreamOutcome) =>
  store.transaction(tenantId, (tx) => tx.streams.end(streamId, outcome, moment(20)));

void t.test('a stream comes back as it was stored, and is found by its token alone', async (t) => {
  const row = await registered({
    lineHash: Buffer.alloc(32, 3),
    pin: 'right',
    pinMark: Buffer.alloc(32, 4),
    terms: {
      mode: 'active',
      protocol: 'audiosocket',
      tier: 'high',
      language: 'en',
      challengeId: 'challenge',
      enrolmentId: null,
      continues: 'ver_0',
      identifiedByAgent: true,
      callId: 'call 4711',
      channel: 'ivr',
      agentId: 'agent-12',
      eventsUrl: 'https://example.com/events?x=1',
    },
  });
  t.same(await get(row.streamId), row);
  t.same(await store.findStream(row.tokenSha256), { tenantId, row });
  t.equal(await store.findStream(Buffer.alloc(32, 9)), null);
  t.equal(await get('nothing'), null);
});

void t.test('a call is found by the operator’s own id while it is registered, for its protocol', async (t) => {
  const terms = { ...streamRow('caller').terms, protocol: 'audiohook' as const };
  const row = await registered({ terms: { ...terms, callId: 'conversation 1' } });
  await registered({ terms: { ...terms, callId: 'conversation 2' } });
  await registered({ terms: { ...terms, protocol: 'voicegate', callId: 'conversation 1' } });
  await registered({ terms });
  const find = (callIds: string[], at = moment(59)) =>
    store.transaction(tenantId, (tx) => tx.streams.registeredFor('audiohook', callIds, at));
  t.same(await find(['conversation 1', 'conversation 3']), [row]);
  t.equal((await find(['conversation 1', 'conversation 2'])).length, 2);
  t.same(await find([]), []);
  const others = await newTenant(store);
  const byOthers = store.transaction(others, (tx) =>
    tx.streams.registeredFor('audiohook', ['conversation 1'], moment()),
  );
  t.same(await byOthers, [], 'another tenant finds nothing');
  t.same(await find(['conversation 1'], moment(60)), [], 'expired');
  await start(row.streamId);
  t.same(await find(['conversation 1']), [], 'taken');
});

void t.test('of fifty doors that take one stream at once exactly one gets it', async (t) => {
  const { streamId } = await registered();
  const taken = await Promise.all(Array.from({ length: 50 }, () => start(streamId)));
  t.equal(taken.filter(Boolean).length, 1);
  t.match(await get(streamId), { state: 'live', startedAt: moment(1), leaseUntil: moment(31) });
});

void t.test('a stream is taken before it expires, and once', async (t) => {
  const late = await registered();
  t.equal(await start(late.streamId, moment(60)), false, 'expired at this very moment');
  t.equal(await start(late.streamId, moment(59.999)), true);
  t.equal(await start(late.streamId, moment(10)), false, 'live');
  await end(late.streamId, accepted);
  t.equal(await start(late.streamId, moment(10)), false, 'ended');
  t.equal(await start('nothing'), false);
});

void t.test('a start that is rolled back leaves the stream to another', async (t) => {
  const { streamId } = await registered();
  await t.rejects(
    store.transaction(tenantId, async (tx) => {
      t.equal(await tx.streams.start(streamId, moment(1), moment(31)), true);
      throw new Error('the challenge was used');
    }),
    /was used/,
  );
  t.equal(await start(streamId), true);
});

void t.test('a stream ends once: the first outcome stands, whoever else ends it at the same time', async (t) => {
  const { streamId } = await registered();
  await start(streamId);
  const ended = await Promise.all([accepted, lost, lost, lost].map((outcome) => end(streamId, outcome)));
  t.equal(ended.filter(Boolean).length, 1);
  const kept = ended[0] === true ? accepted : lost;
  t.match(await get(streamId), { state: 'ended', outcome: kept, endedAt: moment(20) });
  t.equal(await end('nothing', lost), false);
});

void t.test(
  'live streams whose node was not heard of end together; renewed, waiting and ended ones stay',
  async (t) => {
    const tenant = await newTenant(store);
    const waiting = streamRow('caller', { state: 'registered', startedAt: null, leaseUntil: null });
    const ended = streamRow('caller', { state: 'ended', outcome: accepted, leaseUntil: moment(5), endedAt: moment(6) });
    const [silent, renewed] = [
      streamRow('caller', { leaseUntil: moment(30) }),
      streamRow('caller', { leaseUntil: moment(30) }),
    ];
    const interrupt = (at: Date) => store.transaction(tenant, (tx) => tx.streams.interrupt(lost, at));
    await store.transaction(tenant, async (tx) => {
      for (const row of [waiting, ended, silent, renewed]) await tx.streams.insert(row);
      // One that ended must not live again by a late renewal.
      await tx.streams.renew([renewed.streamId, ended.streamId, waiting.streamId], moment(60));
    });
    t.same(await interrupt(moment(30)), [], 'not before the lease is over');
    const found = await interrupt(moment(31));
    t.same(
      found.map(({ streamId, state, outcome, endedAt }) => ({ streamId, state, outcome, endedAt })),
      [{ streamId: silent.streamId, state: 'ended', outcome: lost, endedAt: moment(31) }],
    );
    t.same(await interrupt(moment(32)), [], 'told once');
    await store.transaction(tenant, async (tx) => {
      t.match(await tx.streams.get(renewed.streamId), { state: 'live', leaseUntil: moment(60) });
      t.match(await tx.streams.get(waiting.streamId), { state: 'registered', leaseUntil: null });
      t.match(await tx.streams.get(ended.streamId), { state: 'ended', outcome: accepted, leaseUntil: moment(5) });
    });
  },
);

void t.test('of nodes that look at the same moment one tells of the end', async (t) => {
  const tenant = await newTenant(store);
  const rows = Array.from({ length: 20 }, () => streamRow('caller', { leaseUntil: moment(1) }));
  await store.transaction(tenant, async (tx) => {
    for (const row of rows) await tx.streams.insert(row);
  });
  const told = await Promise.all(
    Array.from({ length: 4 }, () => store.transaction(tenant, (tx) => tx.streams.interrupt(lost, moment(2)))),
  );
  t.same(
    told
      .flat()
      .map(({ streamId }) => streamId)
      .sort(),
    rows.map(({ streamId }) => streamId).sort(),
  );
});

void t.test('old streams are removed whatever became of them', async (t) => {
  const tenant = await newTenant(store);
  const old = [
    streamRow('caller', { createdAt: moment(-10) }),
    streamRow('caller', { createdAt: moment(-10), state: 'ended', outcome: accepted, endedAt: moment(-5) }),
    streamRow('caller', { createdAt: moment(-10), state: 'registered', startedAt: null, leaseUntil: null }),
  ];
  const young = streamRow('caller');
  await store.transaction(tenant, async (tx) => {
    for (const row of [...old, young]) await tx.streams.insert(row);
    t.equal(await tx.streams.purge(moment()), 3);
    t.ok(await tx.streams.get(young.streamId));
  });
});
