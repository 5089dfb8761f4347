import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { StreamEvent } from '../service/stream-events.js';
import { guardedLookup, type EventAddresses } from './event-addresses.js';

/** Pauses before a delivery is tried again, ms; then it is given up. */
const retryAfterMs = [1000, 5000, 25_000];
const timeoutMs = 5000;
/** Deliveries of one call that may wait; the oldest interim ones give way. */
const mostWaiting = 50;

interface Delivery {
  readonly url: string;
  readonly event: StreamEvent;
  tries: number;
}

/**
 * Sends events as webhooks, those of one call one after another. Each is signed: `Voicegate-Signature: t=<Unix seconds>,v1=<hex>`, HMAC-SHA-256 of
 * `<t>.<body>` under the secret that the registration gave. Any answer of 2xx takes it; redirects are not followed.
 */
export class WebhookSender {
  private readonly queues = new Map<string, Delivery[]>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private closed = false;

  constructor(
    private readonly options: {
      /** The secret of a stream. */
      readonly secretOf: (streamId: string) => string;
      readonly addresses: EventAddresses;
      readonly onFault: (streamId: string, fault: unknown) => void;
      readonly now?: () => number;
      readonly retryAfterMs?: readonly number[];
    },
  ) {}

  send(streamId: string, url: string, event: StreamEvent): void {
    if (this.closed) return;
    const queue = this.queues.get(streamId);
    const delivery = { url, event, tries: 0 };
    if (queue === undefined) {
      this.queues.set(streamId, [delivery]);
      void this.deliver(streamId);
      return;
    }
    if (queue.length >= mostWaiting) {
      // The first is on its way.
      const old = queue.findIndex((one, index) => index > 0 && one.event.name === 'interim');
      queue.splice(old < 0 ? 1 : old, 1);
    }
    queue.push(delivery);
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.queues.clear();
  }

  private async deliver(streamId: string): Promise<void> {
    for (
      let queue = this.queues.get(streamId);
      !this.closed && queue !== undefined;
      queue = this.queues.get(streamId)
    ) {
      const [first] = queue;
      if (first === undefined) {
        this.queues.delete(streamId);
        return;
      }
      try {
        await this.post(streamId, first);
        queue.shift();
      } catch (fault) {
        const pauseMs = (this.options.retryAfterMs ?? retryAfterMs)[first.tries++];
        if (pauseMs !== undefined) {
          await this.pause(pauseMs);
          continue;
        }
        this.options.onFault(streamId, fault);
        queue.shift();
      }
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, ms);
      timer.unref();
      this.timers.add(timer);
    });
  }

  private post(streamId: string, { url, event }: Delivery): Promise<void> {
    const at = Math.floor((this.options.now ?? Date.now)() / 1000);
    const body = JSON.stringify({
      id: `${streamId}:${event.id}`,
      at: new Date(at * 1000),
      event: event.name,
      data: event.data,
    });
    const signature = createHmac('sha256', this.options.secretOf(streamId)).update(`${at}.${body}`).digest('hex');
    const target = new URL(url);
    const send = target.protocol === 'http:' ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const request = send(
        target,
        {
          method: 'POST',
          // No connection is kept: the address is looked up and checked anew for each.
          agent: false,
          lookup: guardedLookup(this.options.addresses, target),
          // Of the whole delivery: a host that answers byte by byte holds nobody up.
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'voicegate-signature': `t=${at},v1=${signature}`,
          },
        },
        (response) => {
          response.resume();
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve();
          else reject(new Error(`the webhook was answered ${status}`));
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }
}
