import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { MediaStreamsDoor } from '../../src/telephony/media-streams-door.js';
import type { LiveCall, LiveCalls, MediaFormat, SessionInput } from '../../src/telephony/session-io.js';
import type { StreamTerms } from '../../src/service/ports.js';
import { StreamScript, type Message } from './media-streams-client.js';

/** What a stream's legs become on the call's clock: the codes of each, 0 where silence was put. */
async function legsOf(messages: readonly Message[]) {
  const legs = { customer: [] as number[], agent: [] as number[] };
  const inputs: SessionInput[] = [];
  let media: MediaFormat | null = null;
  const call: LiveCall = {
    streamId: 's',
    resumeToken: 'r',
    terms: {} as StreamTerms,
    answer: 'full',
    takenSeconds: 0,
    detach: () => undefined,
    accept(input) {
      inputs.push(input);
      if (input.kind === 'hello') media = input.media;
      if (input.kind === 'audio') legs[input.leg ?? 'customer'].push(...input.bytes);
      if (input.kind === 'gap') {
        legs[input.leg ?? 'customer'].push(...new Array<number>(Math.round(8000 * input.seconds)).fill(0));
      }
      return true;
    },
  };
  const calls: LiveCalls = {
    awaits: async () => true,
    registered: async () => new Set<string>(),
    open: async () => call,
    resume: () => call,
  };
  const door = new MediaStreamsDoor(calls, 'twilio', null);
  const ignore = (): void => undefined;
  const peer = { send: () => t.fail('something was sent'), close: ignore, pause: ignore, resume: ignore };
  const connection = door.open(peer, { url: '/v1/streams/twilio/token', headers: {} } as IncomingMessage);
  for (const message of messages) connection.onText(JSON.stringify(message));
  await new Promise((resolve) => setImmediate(resolve));
  connection.onGone(1000);
  return { legs, inputs, media: media as MediaFormat | null };
}

/** Seconds of a leg, each sample its tenth of a second, from 1. */
const tenths = (seconds: number): Uint8Array =>
  Uint8Array.from({ length: 8000 * seconds }, (_, n) => 1 + Math.floor(n / 800));
/** The messages of one track begin this much later. */
function delayed(script: StreamScript, track: string, ms: number): Message[] {
  return script.messages.map((message) => {
    const media = message.media as { readonly track: string; readonly timestamp: string } | undefined;
    if (media?.track !== track) return message;
    return { ...message, media: { ...media, timestamp: String(Number(media.timestamp) + ms) } };
  });
}
const both = () =>
  new StreamScript('twilio')
    .start({ tracks: ['inbound', 'outbound'] })
    .media({ inbound: tenths(4), outbound: tenths(4) });

void t.test('Both legs go side by side, whatever the network does to them', async (t) => {
  const { legs, media } = await legsOf(
    both()
      .stop()
      .through(seededRandom(11), { lost: (n) => n % 40 === 3 }),
  );
  t.same(media?.channels, ['customer', 'agent']);
  const apart = legs.customer.filter((code, n) => code !== 0 && legs.agent[n] !== 0 && legs.agent[n] !== code);
  t.equal(apart.length, 0);
  t.ok(legs.customer.length >= 8000 * 4 - 160);
});

void t.test('An agent’s leg that begins later begins in its place', async (t) => {
  for (const ms of [20, 1500, 12_340]) {
    const { legs } = await legsOf(delayed(both(), 'outbound', ms));
    t.equal(legs.agent.indexOf(1), 8 * ms);
    t.equal(legs.customer.indexOf(1), 0);
  }
});

void t.test('What the agent says before the customer is there is let go, and keeps the call alive', async (t) => {
  const script = new StreamScript('twilio').start({ tracks: ['inbound', 'outbound'] });
  const alone = new StreamScript('twilio')
    .start()
    .media({ outbound: tenths(2) })
    .messages.slice(2);
  const together = delayed(
    new StreamScript('twilio').start().media({ inbound: tenths(1), outbound: tenths(1) }),
    'inbound',
    2000,
  ).slice(2);
  const later = together.map((message) => {
    const media = message.media as { readonly track: string; readonly chunk: string; readonly timestamp: string };
    if (media.track !== 'outbound') return message;
    const [chunk, timestamp] = [Number(media.chunk) + 100, Number(media.timestamp) + 2000].map(String);
    return { ...message, media: { ...media, chunk, timestamp } };
  });
  const { legs, inputs } = await legsOf([...script.messages, ...alone, ...later]);
  t.same(legs.agent, legs.customer);
  t.equal(inputs.filter((input) => input.kind === 'audio' && input.leg === 'agent').length, 150);
});

void t.test('What is lost of the agent before the customer is there does not put the legs apart', async (t) => {
  const script = both().messages;
  const isOf = (track: string, from: number, to: number) => (message: Message) => {
    const { track: of, chunk } = (message.media ?? {}) as { readonly track?: string; readonly chunk?: string };
    return of === track && Number(chunk) > from && Number(chunk) <= to;
  };
  const customerBegins = script.filter((message) => message.event !== 'media' || !isOf('inbound', 0, 75)(message));
  const renumbered = customerBegins.map((message) => {
    if (!isOf('inbound', 75, 1000)(message)) return message;
    const media = message.media as { readonly chunk: string };
    return { ...message, media: { ...media, chunk: String(Number(media.chunk) - 75) } };
  });
  const { legs } = await legsOf(renumbered.filter((message) => !isOf('outbound', 65, 82)(message)));
  t.equal(legs.customer[0], 16);
  const apart = legs.customer.filter(
    (code, n) => legs.agent[n] !== 0 && legs.agent[n] !== undefined && legs.agent[n] !== code,
  );
  t.equal(apart.length, 0);
  t.ok(legs.agent.filter((code) => code > 0).length > 8000 * 2);
});

void t.test('Timestamps that lie are not followed far', async (t) => {
  const { legs } = await legsOf(delayed(both(), 'outbound', 9e12));
  t.equal(legs.agent.indexOf(1), 3600 * 8000);
  const backwards = await legsOf(delayed(both(), 'inbound', 9e12));
  t.equal(backwards.legs.agent.indexOf(1), 0);
});
