import type { FastifyReply } from 'fastify';
import type { StreamEvent, StreamEvents } from '../service/stream-events.js';
import type { StreamView } from '../service/streams.js';

/** A line that means nothing, so that proxies do not take a silent call for a dead one; and whether the client may still listen is asked anew, ms. */
const heartbeatMs = 15_000;
/** How often it is looked whether this node hears the call now, ms: its first words are to be seen at once. */
const listenMs = 200;
/** After how many of these the store is asked for the state of a call that another node may hear: every 2 s. */
const looksPerQuestion = 10;

/**
 * Answers with server-sent events (WHATWG HTML, section 9.2) until the call is over or the client goes.
 * @param state asked for again and again where this node knows nothing of the call
 * @param isAllowed whether key or session are still good
 * @returns ends the answer, for a service that stops
 */
export function sendEvents(
  reply: FastifyReply,
  events: StreamEvents,
  streamId: string,
  afterId: number,
  state: () => Promise<StreamView>,
  isAllowed: () => Promise<boolean>,
): () => void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'close',
  });
  let over = false;
  const send = ({ id, name, data }: StreamEvent): void => {
    // Answers of the store may come after the end; writing then would be an error that nobody hears.
    if (!over) raw.write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const heartbeat = setInterval(() => {
    raw.write(':\n\n');
    void isAllowed().then(
      (is) => is || end(),
      () => undefined,
    );
  }, heartbeatMs);
  let stop: () => void = () => undefined;
  const end = (): void => {
    over = true;
    clearInterval(heartbeat);
    stop();
    raw.end();
  };
  raw.on('close', end);
  raw.write(':\n\n');
  const listen = (): boolean => {
    const unsubscribe = events.subscribe(streamId, afterId, (event) => (event === null ? end() : send(event)));
    if (unsubscribe === null) return false;
    stop = unsubscribe;
    return true;
  };
  if (listen()) return end;
  // Not taken yet, taken by another node, or over.
  let looks = 0;
  const poll = setInterval(() => {
    if (listen()) return clearInterval(poll);
    if (++looks % looksPerQuestion !== 0) return;
    void state().then(
      ({ state: found, outcome }) => {
        if (found !== 'ended' && found !== 'expired') return;
        send({ id: afterId + 1, name: 'closed', data: { streamId, type: 'closed', reason: found, outcome } });
        end();
      },
      () => end(),
    );
  }, listenMs);
  stop = () => clearInterval(poll);
  return end;
}
