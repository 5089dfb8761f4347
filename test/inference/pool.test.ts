import { setMaxListeners } from 'node:events';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import { createNetworkInput } from '../../src/features/network-input.js';
import type { InferenceEvent } from '../../src/inference/events.js';
import { startInferencePool, type InferencePoolOptions } from '../../src/inference/pool.js';
import { kaldi24, nemo32, network } from './networks.js';

/** A pool that closes with its test. */
async function poolFor(t: Tap, options: Partial<InferencePoolOptions>): ReturnType<typeof startInferencePool> {
  const pool = await startInferencePool({ networks: [network('waveform')], workers: 1, queueLimit: 4, ...options });
  t.teardown(() => pool.close());
  return pool;
}
type Tap = Pick<typeof t, 'teardown'>;

/** Samples whose answer by the waveform network can be told: all `value`. */
const flat = (value: number, length = 1600): Float32Array => new Float32Array(length).fill(value);

void t.test('a network answers with what it makes of the samples, and with what it cost', async (t) => {
  const events: InferenceEvent[] = [];
  const pool = await poolFor(t, { onEvent: (event) => events.push(event) });
  const samples = Float32Array.of(0.5, -0.25, 0.125, -0.5);
  const { values, dims, queuedMs, featuresMs, networkMs } = await pool.run('waveform', samples);
  t.same([...values], [-0.03125, 0.34375, 0.5, -0.5]);
  t.same(dims, [1, 4]);
  t.ok(queuedMs >= 0 && featuresMs >= 0 && networkMs > 0);
  t.same([...samples], [0.5, -0.25, 0.125, -0.5], 'the caller keeps its samples');
  t.same(
    events.map((event) => event.kind),
    ['worker-ready', 'run'],
  );
  t.match(events[1], { networkId: 'waveform', outcome: 'answered', networkMs });
});

void t.test('several networks of all three families share one pool', async (t) => {
  const networks = [network('frames'), network('nemo'), network('waveform')];
  const pool = await poolFor(t, { networks, workers: 2, queueLimit: 30 });
  const samples = Float32Array.from({ length: 8000 }, (_, index) => 0.3 * Math.sin(index * index * 1e-4));
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) => pool.run(networks[index % 3]?.id ?? '', samples)),
  );

  const frames = createNetworkInput(kaldi24)(samples);
  const means = Array.from({ length: 24 }, (_, bin) => {
    const column = frames.values.filter((_, index) => index % 24 === bin);
    return column.reduce((sum, value) => sum + value, 0) / frames.frames;
  });
  const nemo = createNetworkInput(nemo32)(samples);
  const powers = Array.from({ length: 32 }, (_, bin) => {
    const column = nemo.values.filter((_, index) => index % 32 === bin);
    return column.reduce((sum, value) => sum + value * value, 0) / nemo.validFrames;
  });
  const near = (found: Float32Array, wanted: readonly number[]): boolean =>
    found.length === wanted.length && wanted.every((value, index) => Math.abs(value - (found[index] ?? NaN)) < 1e-4);
  answers.forEach(({ values }, index) => {
    if (index % 3 === 0) t.ok(near(values, means), 'frames by time and bins');
    if (index % 3 === 1) t.ok(near(values, powers), 'frames by bins and time, with their number');
    if (index % 3 === 2) t.equal(values.length, 4);
  });
});

void t.test('a full queue says busy and when to come again, and counts it', async (t) => {
  const events: InferenceEvent[] = [];
  const pool = await poolFor(t, { queueLimit: 2, onEvent: (event) => events.push(event) });
  const accepted = [1, 2, 3].map((value) => pool.run('waveform', flat(value / 4)));
  t.match(pool.status(), { workers: 1, workersReady: 1, running: 1, waiting: 2, queueLimit: 2, workersReplaced: 0 });
  const refusal = await pool.run('waveform', flat(1)).catch((error: unknown) => error);
  t.ok(refusal instanceof VoicegateError);
  t.match(refusal, { code: 'busy', retryAfterSeconds: 1, hint: 'Try again in 1 s' });
  t.same(
    (await Promise.all(accepted)).map(({ values }) => values[2]),
    [0.25, 0.5, 0.75],
  );
  t.match(pool.status(), { running: 0, waiting: 0 });
  t.equal(events.filter((event) => event.kind === 'refused').length, 1);
  await pool.run('waveform', flat(1));
});

void t.test('a queue of no places still takes what a free worker can start', async (t) => {
  const pool = await poolFor(t, { queueLimit: 0 });
  const first = pool.run('waveform', flat(0.5));
  await t.rejects(pool.run('waveform', flat(0.5)), { code: 'busy' });
  t.equal((await first).values[2], 0.5);
});

void t.test('an input that the network refuses fails alone: the worker lives on', async (t) => {
  const events: InferenceEvent[] = [];
  const pool = await poolFor(t, { networks: [network('picky')], onEvent: (event) => events.push(event) });
  await t.rejects(pool.run('picky', flat(0.5, 1601)), { code: 'inference_failed' });
  t.equal((await pool.run('picky', flat(0.5, 1600))).values.length, 8);
  t.match(pool.status(), { workersReady: 1, workersReplaced: 0 });
  t.same(
    events.flatMap((event) => (event.kind === 'run' ? [event.outcome] : [])),
    ['failed', 'answered'],
  );
});

void t.test('samples too few for one frame are refused', async (t) => {
  const pool = await poolFor(t, { networks: [network('frames')] });
  await t.rejects(pool.run('frames', flat(0.1, 199)), { code: 'inference_failed', message: /199 samples are too few/ });
});

void t.test('a network that the pool does not have is refused', async (t) => {
  const pool = await poolFor(t, {});
  await t.rejects(pool.run('digits', flat(0)), { code: 'inference_failed', message: /no network named digits/ });
});

void t.test('giving up frees the caller at once, leaves the thread alone and the others in order', async (t) => {
  const events: InferenceEvent[] = [];
  const pool = await poolFor(t, { queueLimit: 3, onEvent: (event) => events.push(event) });
  const controller = new AbortController();
  const running = pool.run('waveform', flat(0.1), controller.signal);
  const waiting = pool.run('waveform', flat(0.2), controller.signal);
  const other = pool.run('waveform', flat(0.3));
  controller.abort(new Error('the caller hung up'));
  await t.rejects(running, { message: 'the caller hung up' });
  await t.rejects(waiting, { message: 'the caller hung up' });
  t.equal(pool.status().waiting, 1, 'the place in the queue is free again');
  t.ok(Math.abs(((await other).values[2] ?? 0) - 0.3) < 1e-6);
  t.match(pool.status(), { workersReady: 1, workersReplaced: 0 });
  t.same(
    events.flatMap((event) => (event.kind === 'run' ? [event.outcome] : [])),
    ['cancelled', 'answered'],
  );
  await t.rejects(pool.run('waveform', flat(0.4), controller.signal), { message: 'the caller hung up' });
});

void t.test('runs leave no listener behind on a signal that outlives them', async (t) => {
  const pool = await poolFor(t, { queueLimit: 40 });
  const { signal } = new AbortController();
  setMaxListeners(40, signal);
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => void (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => void (listeners--, remove(...args));
  await Promise.all(Array.from({ length: 40 }, () => pool.run('waveform', flat(0.1), signal)));
  t.equal(listeners, 0);
});

void t.test('closing finishes what was accepted and refuses what comes after', async (t) => {
  const pool = await poolFor(t, { queueLimit: 20, workers: 2 });
  const accepted = Array.from({ length: 20 }, (_, index) => pool.run('waveform', flat(index / 32)));
  const closing = pool.close();
  await t.rejects(pool.run('waveform', flat(0)), { code: 'shutting_down' });
  t.same(
    (await Promise.all(accepted)).map(({ values }) => (values[2] ?? NaN) * 32),
    [...accepted.keys()],
  );
  await closing;
  t.match(pool.status(), { workersReady: 0, running: 0, waiting: 0 });
  await pool.close();
});

void t.test('numbers out of range and doubled ids are refused', async (t) => {
  const networks = [network('waveform')];
  await t.rejects(startInferencePool({ networks, workers: 0, queueLimit: 1 }), { code: 'configuration_invalid' });
  await t.rejects(startInferencePool({ networks, workers: 1, queueLimit: -1 }), { code: 'configuration_invalid' });
  await t.rejects(startInferencePool({ networks: [], workers: 1, queueLimit: 1 }), { code: 'configuration_invalid' });
  await t.rejects(startInferencePool({ networks: [...networks, ...networks], workers: 1, queueLimit: 1 }), {
    code: 'configuration_invalid',
    message: /each id once/,
  });
});
