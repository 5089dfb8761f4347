import t from 'tap';
import { createTurnstile } from '../../src/credential/turnstile.js';

/** Work that ends when told to, with a count of how many run. */
function gatedWork(): { work: () => Promise<number>; finishOne: () => void; running: () => number } {
  const finish: (() => void)[] = [];
  let running = 0;
  return {
    work: async () => {
      running++;
      await new Promise<void>((done) => finish.push(done));
      return --running;
    },
    finishOne: () => finish.shift()?.(),
    running: () => running,
  };
}

const settle = (): Promise<void> => new Promise((done) => setImmediate(done));

void t.test('never more run at once than allowed, and all get their turn in order', async (t) => {
  const inTurn = createTurnstile(2, 10);
  const { work, finishOne, running } = gatedWork();
  const order: number[] = [];
  const all = Array.from({ length: 6 }, (_, i) => inTurn(work).then(() => order.push(i)));
  for (let i = 0; i < 6; i++) {
    await settle();
    t.ok(running() <= 2);
    finishOne();
  }
  await Promise.all(all);
  t.same(order, [0, 1, 2, 3, 4, 5]);
});

void t.test('one beyond the queue is refused with busy and takes nobody’s place', async (t) => {
  const inTurn = createTurnstile(1, 1);
  const { work, finishOne } = gatedWork();
  const first = inTurn(work);
  const second = inTurn(work);
  await t.rejects(inTurn(work), { code: 'busy' });
  finishOne();
  await first;
  await settle();
  finishOne();
  await second;
});

void t.test('work that fails frees its place', async (t) => {
  const inTurn = createTurnstile(1, 0);
  await t.rejects(
    inTurn(() => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  t.equal(await inTurn(async () => 5), 5);
});
