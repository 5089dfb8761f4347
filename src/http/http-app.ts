import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialogues } from '../ivr/dialogues.js';
import type { Metrics } from '../ops/metrics.js';
import type { StreamProtocol } from '../service/ports.js';
import type { StreamEvents } from '../service/stream-events.js';
import type { AgentPrompts } from './agent-words.js';

/** The Fastify instance as routes see it: TypeBox schemas give the types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the routes of live calls need from whoever hears them. */
export interface StreamOptions {
  /** @throws VoicegateError `invalid_request` when no call comes by this protocol; `busy`, `shutting_down` when this node can take no further one */
  readonly checkDoor: (protocol: StreamProtocol) => void;
  /** @throws VoicegateError `stream_address_refused` */
  readonly checkEventAddress: (url: string) => void;
  readonly eventsSecretOf: (streamId: string) => string;
  /** Where a registered call connects. @param base scheme and host of this service as its peers reach it */
  readonly addressOf: (protocol: StreamProtocol, token: string, base: string) => string;
  readonly events: StreamEvents;
  /** The AsyncAPI 3 document of our own protocol. @param base as above */
  readonly protocolDocument: (version: string, base: string) => object;
}

/** What the edge needs besides the service. */
export interface HttpOptions {
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
  readonly ratePerMinute: number;
  readonly requestTimeoutMs: number;
  readonly trustProxy: boolean;
  /** Scheme and host by which callers reach this service; null: as each request names it. */
  readonly publicUrl: string | null;
  readonly version: string;
  readonly streams: StreamOptions;
  readonly ivr: Dialogues;
  /** What the agents' page says. */
  readonly agentPrompts: AgentPrompts;
  /** Throws when the process cannot serve now. */
  readonly ready: () => Promise<void>;
}
