import { isDeepStrictEqual } from 'node:util';
import type { OfferedMedia } from './audiohook-messages.js';

/** Whose a session is: only the same may continue it. */
export interface SessionOwner {
  readonly apiKey: string;
  readonly organizationId: string;
  readonly conversationId: string;
}

/** A call whose session is gone. */
export interface KeptCall {
  readonly owner: SessionOwner;
  readonly resumeToken: string;
  /** How its audio came, and has to come. */
  readonly media: OfferedMedia;
}

/** A session waits this long to be continued, as our calls do, ms. */
const keptMs = 30_000;

/** Calls whose session is gone, until another session continues them. */
export class KeptCalls {
  private readonly kept = new Map<string, { readonly call: KeptCall; readonly until: number }>();

  keep(sessionId: string, call: KeptCall): void {
    const now = performance.now();
    for (const [id, { until }] of this.kept) if (until <= now) this.kept.delete(id);
    this.kept.set(sessionId, { call, until: now + keptMs });
  }

  /** The call of one of these sessions, once, for its owner, if its audio can come as before. */
  take(sessionIds: readonly string[], owner: SessionOwner, offered: readonly OfferedMedia[]): KeptCall | null {
    for (const sessionId of sessionIds) {
      const { call, until } = this.kept.get(sessionId) ?? { call: null, until: 0 };
      if (call === null || until <= performance.now() || !isDeepStrictEqual(call.owner, owner)) continue;
      if (!offered.some((media) => isDeepStrictEqual(media, call.media))) continue;
      this.kept.delete(sessionId);
      return call;
    }
    return null;
  }
}
