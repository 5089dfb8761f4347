import t from 'tap';
import { WaitingRoom, type Waiting } from '../../src/telephony/waiting-room.js';

/** One that waits, and what became of it. */
function waiting(callId: string, tenantId = 'one') {
  const one = { tenantId, callId, told: '', onRegistered: () => undefined, onWaitedEnough: () => undefined };
  return Object.assign(one, {
    onRegistered: () => void (one.told += 'registered '),
    onWaitedEnough: () => void (one.told += 'enough '),
  }) satisfies Waiting & { told: string };
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

void t.test('All who wait are asked for at once, tenant by tenant, and nobody asks when nobody waits', async (t) => {
  const asked: [string, readonly string[]][] = [];
  let answer = new Set<string>();
  const calls = {
    registered: async (_protocol: string, tenantId: string, callIds: readonly string[]) => {
      asked.push([tenantId, callIds]);
      return tenantId === 'one' ? answer : new Set<string>();
    },
  };
  const room = new WaitingRoom(calls, 'audiohook', ({ name }) => void t.fail(name), {
    everyMs: 5,
    mostMs: 60_000,
    mostWaiting: 4,
  });
  await pause(20);
  t.same(asked, []);
  const [a, twin, b, other] = [waiting('a'), waiting('a'), waiting('b'), waiting('a', 'two')];
  for (const one of [a, twin, b, other]) t.ok(room.enter(one));
  t.notOk(room.enter(waiting('c')), 'no room for more');
  while (asked.length < 2) await pause(5);
  t.same(asked.slice(0, 2), [
    ['one', ['a', 'b']],
    ['two', ['a']],
  ]);
  answer = new Set(['a', 'never asked for']);
  while (a.told === '') await pause(5);
  t.same([a.told, twin.told, b.told, other.told], ['registered ', 'registered ', '', '']);
  room.leave(b);
  room.leave(other);
  await pause(30);
  const so = asked.length;
  await pause(30);
  t.equal(asked.length, so);
  t.equal(a.told, 'registered ', 'told once');
});

void t.test('Who has waited long enough is told, and a look that fails is made again', async (t) => {
  const faults: object[] = [];
  let looks = 0;
  const calls = {
    registered: async () => {
      looks += 1;
      if (looks === 1) throw Object.assign(new Error('down'), { code: 'database_unavailable' });
      return new Set<string>();
    },
  };
  const onFault = (facts: object) => void faults.push(facts);
  const room = new WaitingRoom(calls, 'audiohook', onFault, { everyMs: 5, mostMs: 20, mostWaiting: 9 });
  const one = waiting('a');
  room.enter(one);
  while (one.told === '') await pause(5);
  t.equal(one.told, 'enough ');
  t.match(faults, [{ code: 'database_unavailable' }]);
  t.ok(looks > 1);
});
