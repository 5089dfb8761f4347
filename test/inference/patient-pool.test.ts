import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import type { InferencePool, NetworkOutput } from '../../src/inference/network.js';
import { PatientPool } from '../../src/inference/patient-pool.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { network } from './networks.js';

interface Running {
  readonly samples: Float32Array;
  readonly answer: () => void;
  readonly fail: (fault: unknown) => void;
}

const busy = new VoicegateError('busy', 'the queue is full', { retryAfterSeconds: 1 });

/** A pool whose tasks end when the test says so; says `busy` as often as it is told to. */
class HeldPool implements Pick<InferencePool, 'run'> {
  readonly running: Running[] = [];
  asked = 0;
  busyTimes = 0;

  run(_networkId: string, samples: Float32Array): Promise<NetworkOutput> {
    this.asked++;
    if (this.busyTimes-- > 0) return Promise.reject(busy);
    return new Promise((resolve, reject) => {
      const output = { values: samples.slice(), dims: [1], state: null, queuedMs: 0, featuresMs: 0, networkMs: 0 };
      // The real pool copies too.
      this.running.push({ samples: samples.slice(), answer: () => resolve(output), fail: reject });
    });
  }
}

const held = (most: number) => {
  const pool = new HeldPool();
  return { pool, patient: new PatientPool(pool as unknown as InferencePool, most) };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const one = (value: number) => Float32Array.of(value);

void t.test('no more than the bound are in the pool; those who wait are served in their order', async (t) => {
  const { pool, patient } = held(2);
  const order: number[] = [];
  const all = [0, 1, 2, 3, 4].map(async (n) => {
    const { values } = await patient.run('network', one(n));
    order.push(values[0] ?? NaN);
  });
  const served = () => pool.running.map(({ samples }) => samples[0]);
  await turn();
  t.same(served(), [0, 1]);
  pool.running[1]?.answer();
  await turn();
  t.same(served(), [0, 1, 2], 'one place became free, one more goes in');
  pool.running[2]?.answer();
  pool.running[0]?.answer();
  await turn();
  t.same(served(), [0, 1, 2, 3, 4]);
  pool.running[3]?.answer();
  pool.running[4]?.answer();
  await Promise.all(all);
  t.same(order.slice().sort(), [0, 1, 2, 3, 4]);
  t.same(order.slice(-2), [3, 4]);
});

void t.test('a full pool is asked again until it has room, and a newcomer does not overtake', async (t) => {
  const { pool, patient } = held(1);
  pool.busyTimes = 3;
  const first = patient.run('network', one(1));
  const second = patient.run('network', one(2));
  while (pool.running.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(pool.asked, 4, 'three refusals and a room');
  pool.running[0]?.answer();
  t.equal((await first).values[0], 1);
  await turn();
  pool.running[1]?.answer();
  t.equal((await second).values[0], 2);
});

void t.test('a fault is its caller’s alone and gives the place on; it is not tried again', async (t) => {
  const { pool, patient } = held(1);
  const first = patient.run('network', one(1));
  const second = patient.run('network', one(2));
  await turn();
  pool.running[0]?.fail(new VoicegateError('inference_failed', 'the worker was lost'));
  await t.rejects(first, { code: 'inference_failed' });
  await turn();
  t.equal(pool.asked, 2);
  pool.running[1]?.answer();
  t.equal((await second).values[0], 2);
  const third = patient.run('network', one(3));
  await turn();
  t.equal(pool.running.length, 3, 'no place was lost');
  pool.running[2]?.answer();
  await third;
});

void t.test('what waits is what was given, though the caller’s memory changes', async (t) => {
  const { pool, patient } = held(1);
  const memory = one(1);
  const first = patient.run('network', memory);
  memory[0] = 2;
  const second = patient.run('network', memory);
  memory[0] = 3;
  pool.running[0]?.answer();
  t.equal((await first).values[0], 1);
  await turn();
  pool.running[1]?.answer();
  t.equal((await second).values[0], 2);
});

void t.test(
  'on the real pool: more tasks than its queue takes are all answered, and a closed pool says so',
  async (t) => {
    const pool = await startInferencePool({ networks: [network('waveform')], workers: 1, queueLimit: 2 });
    t.teardown(() => pool.close());
    const patient = new PatientPool(pool, 8);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => patient.run('waveform', new Float32Array(1600).fill(n / 64))),
    );
    t.same(
      answers.map(({ values }) => values[2]),
      Array.from({ length: 40 }, (_, n) => n / 64),
    );
    await t.rejects(patient.run('nothing', one(1)), { code: 'inference_failed' });
    await pool.close();
    await t.rejects(patient.run('waveform', one(1)), { code: 'shutting_down' });
  },
);
