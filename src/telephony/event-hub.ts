import type { OpenedCall } from '../service/open-call.js';
import type { StreamRow } from '../service/ports.js';
import type { StreamEvent, StreamEvents } from '../service/stream-events.js';
import { outputView, type OutputView } from './output-view.js';
import type { SessionOutput } from './session-io.js';
import type { WebhookSender } from './webhooks.js';

/** Events kept of one call for those who come late or come back. */
const mostKept = 200;
/** How long after its end, ms. */
const keptMs = 60_000;

interface Channel {
  readonly events: StreamEvent[];
  readonly listeners: Set<(event: StreamEvent | null) => void>;
  next: number;
  over: boolean;
}

/** Tells what calls tell, beside their doors: to event streams of this node, and to webhooks. */
export class EventHub implements StreamEvents {
  private readonly channels = new Map<string, Channel>();
  private readonly forgetting = new Set<NodeJS.Timeout>();

  /** @param webhooks null: none are sent */
  constructor(private readonly webhooks: WebhookSender | null) {}

  /** What a call's session put out. */
  publish(call: OpenedCall, output: SessionOutput): void {
    if (output.kind === 'drained') return;
    const { row, caller } = call;
    this.tell(row, outputView(caller.answer, output), output.kind === 'closed');
  }

  /** A call of another node was found to be lost. */
  publishEnd(row: StreamRow): void {
    const { outcome } = row;
    if (outcome?.kind !== 'none') return;
    const reasons = outcome.reasons;
    this.tell(row, { type: 'verdict', decision: outcome.decision, reasons }, false);
    this.tell(row, { type: 'closed', reason: outcome.cause }, true);
  }

  subscribe(streamId: string, afterId: number, listener: (event: StreamEvent | null) => void): (() => void) | null {
    const channel = this.channels.get(streamId);
    if (channel === undefined) return null;
    for (const event of channel.events) if (event.id > afterId) listener(event);
    if (channel.over) {
      listener(null);
      return () => undefined;
    }
    channel.listeners.add(listener);
    return () => channel.listeners.delete(listener);
  }

  /** Forgets everything and lets every listener go. */
  close(): void {
    for (const timer of this.forgetting) clearTimeout(timer);
    this.forgetting.clear();
    for (const { listeners } of this.channels.values()) for (const listener of [...listeners]) listener(null);
    this.channels.clear();
    this.webhooks?.close();
  }

  private tell(row: StreamRow, view: OutputView, isLast: boolean): void {
    const channel = this.channelOf(row.streamId);
    const event: StreamEvent = { id: channel.next++, name: view.type, data: { streamId: row.streamId, ...view } };
    channel.events.push(event);
    if (channel.events.length > mostKept) channel.events.shift();
    for (const listener of [...channel.listeners]) listener(event);
    const { eventsUrl } = row.terms;
    // Progress is for screens: a webhook has the interim results and what comes of them.
    if (eventsUrl !== null && view.type !== 'progress') this.webhooks?.send(row.streamId, eventsUrl, event);
    if (!isLast) return;
    channel.over = true;
    for (const listener of [...channel.listeners]) listener(null);
    channel.listeners.clear();
    const timer = setTimeout(() => {
      this.channels.delete(row.streamId);
      this.forgetting.delete(timer);
    }, keptMs);
    timer.unref();
    this.forgetting.add(timer);
  }

  private channelOf(streamId: string): Channel {
    let channel = this.channels.get(streamId);
    if (channel === undefined) {
      channel = { events: [], listeners: new Set(), next: 1, over: false };
      this.channels.set(streamId, channel);
    }
    return channel;
  }
}
