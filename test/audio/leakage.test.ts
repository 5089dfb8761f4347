import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { leakage } from '../../src/audio/leakage.js';
import { utterance } from './made-call.js';

const customer = await utterance('zh-f4', 'verify-1');
const agent = await utterance('en-rms', 'enrol-1');
const rms = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

/** The agent as it comes back: later, fainter, over a few short paths, with a little noise. */
function echo(length: number, delay: number, gainDb: number): Float32Array {
  const random = seededRandom(3);
  const gain = (10 ** (gainDb / 20) * rms(customer)) / rms(agent);
  return Float32Array.from(
    { length },
    (_, n) =>
      gain * ((agent[n - delay] ?? 0) + 0.4 * (agent[n - delay - 9] ?? 0) - 0.2 * (agent[n - delay - 23] ?? 0)) +
      (random() - 0.5) * 1e-3,
  );
}
const mixed = (a: Float32Array, b: Float32Array): Float32Array => a.map((x, n) => x + (b[n] ?? 0));

void t.test(
  'A leak is found at any delay it may have, and however faint it is, where nobody else speaks',
  async (t) => {
    for (const delay of [0, 1, 333, 2400, 4700]) {
      for (const gainDb of [0, -20, -30]) {
        t.ok(leakage(echo(32_000, delay, gainDb), agent, 0, 8000) > 0.4, `${delay} samples later, ${gainDb} dB`);
      }
    }
  },
);

void t.test('Beside the customer it is found by its share of the power', async (t) => {
  const of = (gainDb: number): number => leakage(mixed(customer, echo(customer.length, 800, gainDb)), agent, 0, 8000);
  const values = [10, 0, -6, -10, -20, -40].map(of);
  t.same(
    values,
    [...values].sort((a, b) => b - a),
    'it falls with the level',
  );
  t.ok((values[2] as number) > 0.2, 'a quarter of the power');
  t.ok((values[5] as number) < 0.2, 'next to nothing');
});

void t.test('Independent speech is no leak, and silence is none', async (t) => {
  for (const name of ['enrol-1', 'enrol-2', 'verify-1', 'verify-2']) {
    for (const voice of ['en-rms', 'en-slt', 'zh-m5']) {
      const value = leakage(customer, await utterance(voice, name), 0, 8000);
      t.ok(value < 0.2, `${voice} ${name}: ${value.toFixed(3)}`);
    }
  }
  const silence = new Float32Array(8000);
  t.equal(leakage(customer, silence, 0, 8000), 0);
  t.equal(leakage(silence, customer, 0, 8000), 0);
  t.equal(leakage(customer, new Float32Array(0), 0, 8000), 0);
  t.equal(leakage(new Float32Array(0), agent, 0, 8000), 0);
});

void t.test('What was sent before the utterance began may leak into its beginning', async (t) => {
  const leaked = echo(24_000, 0, -10).subarray(4000);
  t.ok(leakage(leaked, agent, 4000, 8000) > 0.5, 'the source begins half a second before');
  t.ok(leakage(leaked, agent.subarray(4000), 0, 8000) > 0.5, 'the same without its past');
  t.ok(leakage(leaked, agent, 0, 8000) < 0.2, 'a copy that came before its source is none');
});
