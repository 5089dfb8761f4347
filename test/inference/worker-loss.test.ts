import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import t from 'tap';
import type { InferenceEvent } from '../../src/inference/events.js';
import type { InferencePool } from '../../src/inference/network.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { network } from './networks.js';

/** Threads in the order of their start: Node.js tells of each, so a test can end one as a crash would. */
const threads: Worker[] = [];
process.on('worker', (worker) => threads.push(worker));
const latest = (): Worker => {
  const worker = threads.at(-1);
  if (worker === undefined) throw new Error('no worker was started');
  return worker;
};

/**
 * Ends a thread as an uncaught exception does: it throws at a message it does not know. (Worker.terminate() would not do: inside ONNX Runtime it
 * aborts the process.) Whatever is sent to the thread after this is lost.
 */
const crash = (worker: Worker): void => worker.postMessage({ kind: 'nonsense' });

const flat = (value: number, length = 1600): Float32Array => new Float32Array(length).fill(value);

/** Resolves with the next event of a kind. */
class Events {
  readonly seen: InferenceEvent[] = [];
  private readonly waiting: (() => void)[] = [];
  readonly take = (event: InferenceEvent): void => {
    this.seen.push(event);
    for (const wake of this.waiting.splice(0)) wake();
  };
  async until(kind: InferenceEvent['kind'], count: number): Promise<void> {
    while (this.seen.filter((event) => event.kind === kind).length < count) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

void t.test('a worker that dies is replaced; its task fails, those waiting are served', async (t) => {
  const events = new Events();
  const networks = [network('waveform')];
  const pool = await startInferencePool({ networks, workers: 1, queueLimit: 4, onEvent: events.take });
  t.teardown(() => pool.close());
  crash(latest());
  const running = pool.run('waveform', flat(0.25));
  const waiting = pool.run('waveform', flat(0.5));
  await t.rejects(running, { code: 'inference_failed', message: /worker was lost/, hint: /try again/ });
  t.equal(pool.status().workersReady, 0, 'readiness shows the loss');
  t.equal((await waiting).values[2], 0.5);
  t.match(pool.status(), { workersReady: 1, workersReplaced: 1 });
  t.match(
    events.seen.find((event) => event.kind === 'worker-lost'),
    { worker: 0, restartInMs: 100 },
  );
});

void t.test('while one worker is replaced the others go on', async (t) => {
  const pool = await startInferencePool({ networks: [network('waveform')], workers: 2, queueLimit: 50 });
  t.teardown(() => pool.close());
  crash(latest());
  const work = Array.from({ length: 40 }, () => pool.run('waveform', flat(0.5, 80_000)));
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').length;
  t.equal(failed, 1, 'the one given to the lost thread');
});

void t.test(
  'a worker that cannot come back is tried again with growing pauses, callers are told, and it recovers',
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'voicegate-pool-'));
    t.teardown(() => rmSync(dir, { recursive: true }));
    const spec = network('waveform');
    const onnxPath = join(dir, 'network.onnx');
    copyFileSync(spec.onnxPath, onnxPath);
    const events = new Events();
    const networks = [{ ...spec, onnxPath }];
    const pool: InferencePool = await startInferencePool({ networks, workers: 1, queueLimit: 4, onEvent: events.take });
    t.teardown(() => pool.close());

    writeFileSync(onnxPath, 'damaged');
    crash(latest());
    await events.until('worker-lost', 3);
    const pauses = events.seen.flatMap((event) => (event.kind === 'worker-lost' ? [event.restartInMs] : []));
    t.same(pauses, [100, 200, 400], 'each loss without an answer between doubles the pause');
    t.equal(pool.status().workersReady, 0);
    await t.rejects(pool.run('waveform', flat(0)), { code: 'busy', message: /no inference worker is running/ });

    copyFileSync(spec.onnxPath, onnxPath);
    await events.until('worker-ready', 2);
    t.equal((await pool.run('waveform', flat(0.5))).values[2], 0.5);
  },
);

void t.test('a pool without a living worker closes, and fails what waited', async (t) => {
  const pool = await startInferencePool({ networks: [network('waveform')], workers: 1, queueLimit: 4 });
  crash(latest());
  const running = pool.run('waveform', flat(0.25));
  const waiting = pool.run('waveform', flat(0.5));
  const closing = pool.close();
  await t.rejects(running, { code: 'inference_failed' });
  await t.rejects(waiting, { code: 'inference_failed', message: /while closing/ });
  await closing;
});

void t.test('a thousand runs leave the number of listeners on a thread as it was', async (t) => {
  const pool = await startInferencePool({ networks: [network('waveform')], workers: 1, queueLimit: 10 });
  t.teardown(() => pool.close());
  const count = (): number => ['message', 'error', 'exit'].reduce((sum, name) => sum + latest().listenerCount(name), 0);
  const before = count();
  for (let run = 0; run < 1000; run++) await pool.run('waveform', flat(0.1, 160));
  t.equal(count(), before);
});
