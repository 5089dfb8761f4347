import t from 'tap';
import { createShutdown } from '../../src/ops/shutdown.js';

void t.test('phases end one after the other, once, however often it is asked', async (t) => {
  const ended: string[] = [];
  const phase = (name: string) => ({
    name,
    end: async () => {
      await new Promise(setImmediate);
      ended.push(name);
    },
  });
  const stop = createShutdown([phase('http'), phase('inference'), phase('database')], 60_000, () => undefined);
  const [first, second] = await Promise.all([stop(), stop()]);
  t.same(first, { late: null });
  t.same(second, { late: null });
  t.same(ended, ['http', 'inference', 'database']);
});

void t.test('a phase that fails is told and does not keep the next from ending', async (t) => {
  const ended: string[] = [];
  const faults: string[] = [];
  const stop = createShutdown(
    [
      { name: 'http', end: () => Promise.reject(new Error('stuck')) },
      { name: 'database', end: async () => void ended.push('database') },
    ],
    60_000,
    (phase, fault) => faults.push(`${phase}: ${(fault as Error).message}`),
  );
  t.same(await stop(), { late: null });
  t.same(faults, ['http: stuck']);
  t.same(ended, ['database']);
});

void t.test('at the time limit the phase that still runs is named', async (t) => {
  const stop = createShutdown(
    [
      { name: 'http', end: async () => undefined },
      { name: 'inference', end: () => new Promise(() => undefined) },
    ],
    10,
    () => undefined,
  );
  t.same(await stop(), { late: 'inference' });
});
