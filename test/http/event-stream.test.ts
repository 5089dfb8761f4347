import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyReply } from 'fastify';
import t, { type Test } from 'tap';
import { sendEvents } from '../../src/http/event-stream.js';
import type { StreamEvent, StreamEvents } from '../../src/service/stream-events.js';
import type { StreamView } from '../../src/service/streams.js';

t.setTimeout(60_000);
const view: StreamView = {
  streamId: 'stream',
  mode: 'passive',
  protocol: 'voicegate',
  state: 'live',
  createdAt: new Date(),
  expiresAt: new Date(),
  startedAt: new Date(),
  endedAt: null,
  outcome: null,
};
const ended: StreamView = {
  ...view,
  state: 'ended',
  outcome: { kind: 'none', decision: 'INCONCLUSIVE', reasons: ['SERVICE_RESTARTED'], cause: 'node_lost' },
};
const nobody: StreamEvents = { subscribe: () => null };

/** One event stream over HTTP. */
async function served(t: Test, events: StreamEvents, state: () => Promise<StreamView>) {
  const faults: unknown[] = [];
  const server = createServer((_request, raw) => {
    raw.on('error', (fault) => faults.push(fault));
    const reply = { raw, hijack: () => undefined } as unknown as FastifyReply;
    sendEvents(reply, events, 'stream', 0, state, async () => true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const response = await new Promise<IncomingMessage>((resolve) =>
    get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, resolve),
  );
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const over = new Promise<void>((resolve) => response.on('close', resolve));
  return { response, over, faults, text: () => text };
}
const namesIn = (text: string): string[] => [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name ?? '');

void t.test('The end of another node’s call is told from the store', async (t) => {
  let asked = 0;
  const stream = await served(t, nobody, async () => (asked++ === 0 ? view : ended));
  await stream.over;
  t.same(namesIn(stream.text()), ['closed']);
  const [, data] = /^data: (.*)$/m.exec(stream.text()) ?? [];
  t.match(JSON.parse(data ?? ''), {
    type: 'closed',
    reason: 'ended',
    outcome: { kind: 'none', decision: 'INCONCLUSIVE', reasons: ['SERVICE_RESTARTED'] },
  });
});

void t.test('A call that this node takes later is told from then on', async (t) => {
  const waiting: ((event: StreamEvent | null) => void)[] = [];
  let taken = false;
  const events: StreamEvents = {
    subscribe: (_streamId, _afterId, listener) => {
      if (!taken) return null;
      waiting.push(listener);
      return () => undefined;
    },
  };
  const stream = await served(t, events, async () => ({ ...view, state: 'registered' }));
  taken = true;
  while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  waiting[0]?.({ id: 1, name: 'progress', data: {} });
  waiting[0]?.({ id: 2, name: 'closed', data: {} });
  waiting[0]?.(null);
  await stream.over;
  t.same(namesIn(stream.text()), ['progress', 'closed']);
});

void t.test('Answers of a slow store that come after the end are let go', async (t) => {
  const answers: ((found: StreamView) => void)[] = [];
  const stream = await served(t, nobody, () => new Promise((resolve) => answers.push(resolve)));
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const answer of answers) answer(ended);
  await stream.over;
  t.same(namesIn(stream.text()), ['closed'], 'once');
  t.same(stream.faults, []);
});

void t.test('A store that fails ends the stream, and a client that goes stops the asking', async (t) => {
  const failed = await served(t, nobody, () => Promise.reject(new Error('the database is away')));
  await failed.over;
  t.same(namesIn(failed.text()), []);
  let asked = 0;
  const gone = await served(t, nobody, async () => {
    asked++;
    return view;
  });
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  gone.response.destroy();
  await gone.over;
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = asked;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.equal(asked, before);
});
