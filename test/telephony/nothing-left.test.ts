import t from 'tap';
import { callSide } from '../../bench/call-side.js';
import { kindOf, mixedCall } from '../../bench/mixed-calls.js';
import { unlockAccount } from '../../src/service/accounts.js';
import { until } from '../until.js';
import { enrolCaller, openServed } from './harness.js';

t.setTimeout(240_000);

/** What keeps this process's event loop, by kind. Connections that clients of HTTP keep for their next request are no part of it. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind !== 'TCPSocketWrap' && kind !== 'Immediate') counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

void t.test('Nothing is left of 200 short calls of every kind: no call, connection, timer or resource', async (t) => {
  const served = await openServed(t);
  const { telephony, timers, context, full } = served;
  await enrolCaller(served, 'caller', 'zh-f4');
  const place = {
    register: async (body: object) => ({ ...(await served.api('POST', '/v1/streams', body)), headers: new Headers() }),
    accountId: 'caller',
    audio: callSide('zh-f4'),
    eventsUrl: null,
  };
  await mixedCall(place, 0);
  const before = { resources: resources(), timers: timers.pending };

  const calls = 200;
  const faults: string[] = [];
  let next = 0;
  let waiting = 0;
  const line = async (): Promise<void> => {
    while (next < calls) {
      const index = next++;
      const fault = await mixedCall(place, index);
      if (fault !== null) faults.push(fault);
      // Who broke the protocol may come back too.
      if (kindOf(index) === 'lost' || kindOf(index) === 'broken') waiting++;
      // Refusals are counted: the account is not to be locked.
      if (index % 10 === 0) await unlockAccount(context, full, 'caller', { agentId: null, reason: null });
    }
  };
  await Promise.all(Array.from({ length: 8 }, line));
  t.same(faults, [], 'each ended as it should');

  await until(() => telephony.connections === 0);
  await until(() => telephony.calls.count <= waiting);
  t.equal(telephony.calls.count, waiting, 'the lost ones wait for their peers');
  timers.pass(30_001);
  await until(() => telephony.calls.count === 0);
  await until(() => timers.pending === before.timers);
  t.equal(timers.pending, before.timers);
  // Timers of the test's own HTTP client come and go.
  const more = () => Object.entries(resources()).filter(([kind, count]) => count > (before.resources[kind] ?? 0));
  await until(() => more().length === 0);
  t.same(more(), []);
  const rows = await context.store.transaction('operator', (tx) =>
    tx.streams.interrupt(
      { kind: 'none', decision: 'INCONCLUSIVE', reasons: [], cause: 'test' },
      new Date(Date.now() + 3_600_000),
    ),
  );
  t.same(rows, [], 'no call is live in the store');
});
