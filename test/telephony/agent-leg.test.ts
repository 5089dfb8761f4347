import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { putAccount } from '../../src/service/accounts.js';
import { eraseAgentVoiceprint, putAgentVoiceprint } from '../../src/service/agents.js';
import { startEnrolment } from '../../src/service/enrolments.js';
import type { Channel, SessionInput } from '../../src/telephony/session-io.js';
import { utterance } from '../audio/made-call.js';
import { consented, noProof } from '../service/harness.js';
import { enrolCaller, l16, openLive, Outputs } from './harness.js';

t.setTimeout(240_000);
const live = await openLive(t);
const { context, full, calls } = live;

type Leg = 'customer' | 'agent';
const voices: Readonly<Record<Leg, string>> = { customer: 'zh-f4', agent: 'en-rms' };
/** Who says which utterance, one after another. */
type Turns = readonly (readonly [Leg, string])[];

/** A talk on two legs of one length; each is silent while the other speaks. */
async function talk(turns: Turns, pauseSeconds = 1): Promise<Readonly<Record<Leg, Float32Array>>> {
  const said: { who: Leg; at: number; samples: Float32Array }[] = [];
  let at = 4000;
  for (const [who, name] of turns) {
    const samples = await utterance(voices[who], name);
    said.push({ who, at, samples });
    at += samples.length + Math.round(pauseSeconds * 8000);
  }
  const leg = (of: Leg): Float32Array => {
    const whole = new Float32Array(at + 8000);
    for (const one of said) if (one.who === of) whole.set(one.samples, one.at);
    return whole;
  };
  return { customer: leg('customer'), agent: leg('agent') };
}

const plus = (one: Float32Array, other: Float32Array): Float32Array => one.map((x, n) => x + (other[n] ?? 0));
/** Later by 60 ms and quieter. */
const leaked = (samples: Float32Array, gainDb: number): Float32Array =>
  samples.map((_, n) => (samples[n - 480] ?? 0) * 10 ** (gainDb / 20));

function interleaved(left: Float32Array, right: Float32Array): Float32Array {
  const both = new Float32Array(2 * left.length);
  left.forEach((x, n) => ((both[2 * n] = x), (both[2 * n + 1] = right[n] ?? 0)));
  return both;
}

let accounts = 0;
/** Plays an enrolment's call, cut at random. */
async function enrol(inputs: readonly { samples: Float32Array; leg?: Leg }[], channels: readonly Channel[], seed = 1) {
  const accountId = `leg-${accounts++}`;
  await putAccount(context, full, accountId);
  await consented(live, accountId);
  const { enrolmentId } = await startEnrolment(context, full, accountId, {
    language: 'zh',
    proof: { ...noProof, agentId: 'a7' },
  });
  const { token } = await live.register({ mode: 'enrolment', enrolmentId });
  const outputs = new Outputs();
  const call = await calls.open('voicegate', token, outputs.sink);
  const random = seededRandom(seed);
  const give = async (input: SessionInput): Promise<void> => {
    const drained = outputs.of('drained').length;
    if (call.accept(input)) return;
    while (outputs.of('drained').length === drained && outputs.of('closed').length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  call.accept({ kind: 'hello', media: { encoding: 'l16-le', sampleRateHz: 8000, channels } });
  const waiting = inputs.map(({ samples, leg }) => ({ bytes: l16(samples), leg, at: 0 }));
  while (waiting.some(({ bytes, at }) => at < bytes.length)) {
    for (const one of waiting) {
      // Legs in frames of their own go on side by side; one leg may be cut anywhere.
      const size = waiting.length > 1 ? 1600 : 1 + Math.floor(random() ** 4 * 30_000);
      const bytes = one.bytes.subarray(one.at, one.at + size);
      one.at += size;
      await give({ kind: 'audio', bytes, ...(one.leg === undefined ? {} : { leg: one.leg }) });
    }
  }
  call.accept({ kind: 'end' });
  await outputs.until('closed');
  return {
    outputs,
    utterances: outputs.of('utterance'),
    dropped: outputs.of('utterance').filter(({ reasons }) => reasons.includes('AGENT_HEARD')).length,
    enrolled: outputs.of('enrolled').length === 1,
  };
}

const turns: Turns = [
  ['agent', 'enrol-1'],
  ['agent', 'enrol-2'],
  ['customer', 'verify-1'],
  ['agent', 'verify-1'],
  ['customer', 'verify-2'],
  ['agent', 'verify-2'],
  ['customer', 'verify-3'],
  ['agent', 'verify-3'],
  ['customer', 'verify-4'],
];
const clean = await talk(turns);

void t.test('Of two legs the customer’s alone makes the print', async (t) => {
  const { utterances, dropped, enrolled } = await enrol(
    [{ samples: interleaved(clean.agent, clean.customer) }],
    ['agent', 'customer'],
  );
  t.equal(dropped, 0);
  t.ok(utterances.every(({ accepted }) => accepted));
  t.ok(enrolled);
});

void t.test(
  'Utterances that are the agent’s voice leaked into the customer’s leg are dropped, however faint',
  async (t) => {
    for (const gainDb of [-3, -12, -20]) {
      const customer = plus(clean.customer, leaked(clean.agent, gainDb));
      const { dropped, utterances, enrolled } = await enrol(
        [{ samples: interleaved(customer, clean.agent) }],
        ['customer', 'agent'],
      );
      t.ok(dropped >= 3, `${gainDb} dB: ${dropped} dropped`);
      t.ok(
        utterances.every(({ reasons, hint }) => !reasons.includes('AGENT_HEARD') || hint === 'agent_heard'),
        'the agent is told',
      );
      t.equal(utterances.filter(({ accepted }) => accepted).length, 3, 'three of the customer’s were kept');
      t.ok(enrolled);
    }
  },
);

void t.test('The agent speaking loudly into the customer’s own words spoils them', async (t) => {
  const customer = await talk([
    ['customer', 'verify-1'],
    ['customer', 'verify-2'],
  ]);
  const agent = await talk([
    ['agent', 'enrol-1'],
    ['agent', 'enrol-2'],
  ]);
  const spoilt = plus(customer.customer, leaked(agent.agent, 0));
  const { dropped } = await enrol([{ samples: interleaved(spoilt, agent.agent) }], ['customer', 'agent']);
  t.equal(dropped, 2);
});

void t.test(
  'However it is cut, a call on two legs tells the same, and legs in frames of their own do too',
  async (t) => {
    const customer = plus(clean.customer, leaked(clean.agent, -12));
    const both = [{ samples: interleaved(customer, clean.agent) }];
    const told = async (...args: Parameters<typeof enrol>) =>
      (await enrol(...args)).utterances.map(({ accepted, reasons, quality }) => ({ accepted, reasons, quality }));
    const first = await told(both, ['customer', 'agent'], 1);
    t.strictSame(await told(both, ['customer', 'agent'], 2), first);
    t.strictSame(await told(both, ['customer', 'agent'], 3), first);
    const apart = [
      { samples: clean.agent, leg: 'agent' },
      { samples: customer, leg: 'customer' },
    ] as const;
    t.strictSame(await told(apart, ['customer', 'agent']), first);
  },
);

void t.test('Both voices in one channel are refused unless the agent’s own voice is known', async (t) => {
  const mixed = [{ samples: plus(clean.customer, clean.agent) }];
  const { outputs, utterances } = await enrol(mixed, ['mixed']);
  t.equal(outputs.of('error')[0]?.code, 'agent_voiceprint_missing');
  t.equal(utterances.length, 0);
  t.equal(outputs.of('closed')[0]?.reason, 'failed');
});

void t.test(
  'With the agent’s voiceprint what the agent says in a mixed channel is left out of the print',
  async (t) => {
    const recordings = ['enrol-3', 'enrol-4', 'enrol-5', 'verify-4'];
    const samples = plusAll(await Promise.all(recordings.map((name) => utterance(voices.agent, name))));
    const answer = await putAgentVoiceprint(
      context,
      full,
      'a7',
      { bytes: l16(samples).swap16(), contentType: 'audio/L16;rate=8000', channel: null },
      { textVersion: 'staff-1', reference: null },
    );
    t.ok(answer.voiceprint, answer.reasons.join());
    t.teardown(() => eraseAgentVoiceprint(context, full, 'a7'));
    const mixed = [{ samples: plus(clean.customer, clean.agent) }];
    const { dropped, enrolled, utterances } = await enrol(mixed, ['mixed']);
    t.ok(dropped >= 3, `${dropped} dropped`);
    t.equal(utterances.filter(({ accepted }) => accepted).length, 3);
    t.ok(enrolled);
    // The print is the customer's: it knows her as one that was made of her alone does.
    const print = async (accountId: string) =>
      context.store.transaction('operator', async (tx) => (await tx.voiceprints.active(accountId))[0]?.vector);
    await enrolCaller(live, 'alone', voices.customer);
    const [made, alone] = [await print(`leg-${accounts - 1}`), await print('alone')];
    t.ok(made !== undefined && alone !== undefined && dot(made, alone) > 0.8);

    const fast = await talk(turns, 0.5);
    const quick = await enrol([{ samples: plus(fast.customer, fast.agent) }], ['mixed']);
    t.ok(quick.dropped >= 3, 'turns half a second apart');
  },
);

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, n) => sum + x * (b[n] ?? 0), 0);

function plusAll(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length + 4000, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length + 4000;
  }
  return whole;
}
