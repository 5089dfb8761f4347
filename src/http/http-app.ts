import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '../ops/metrics.js';

/** The Fastify instance as routes see it: TypeBox schemas give the types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the edge needs besides the service. */
export interface HttpOptions {
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  readonly maxBodyBytes: number;
  readonly ratePerMinute: number;
  readonly requestTimeoutMs: number;
  readonly trustProxy: boolean;
  readonly version: string;
  /** Throws when the process cannot serve now. */
  readonly ready: () => Promise<void>;
}
