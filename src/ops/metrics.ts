import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** What the rooms report while they work; compose joins it to Prometheus, tests may count. No label names a caller. */
export interface Metrics {
  readonly contentType: string;
  /** The text that GET /metrics answers. */
  readonly render: () => Promise<string>;
  readonly decided: (decision: string, reasons: readonly string[], tier: string) => void;
  /** One stage of a request, e.g. decode, activity, embedding, pin, database. */
  readonly stage: (name: string, seconds: number) => void;
  readonly request: (method: string, route: string, status: number, seconds: number) => void;
  readonly enrolled: () => void;
  /** What became of an accepted call's utterance for the other model's print. */
  readonly quietUtterance: (result: string) => void;
}

/** Live readings taken when /metrics is asked. */
export interface Gauges {
  readonly waiting: () => number;
  readonly running: () => number;
  readonly workersReady: () => number;
  readonly workersReplaced: () => number;
  readonly liveCalls: () => number;
  readonly liveCallsLeft: () => number;
}

const latencyBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Prometheus metrics on a registry of their own, so that two services in one process do not meet. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('voicegate_inference_waiting', 'Inference tasks in the queue', gauges.waiting);
  gauge('voicegate_inference_running', 'Inference tasks being worked on', gauges.running);
  gauge('voicegate_inference_workers_ready', 'Worker threads alive and warm', gauges.workersReady);
  gauge('voicegate_inference_workers_replaced', 'Worker threads replaced after a crash', gauges.workersReplaced);
  gauge('voicegate_live_calls', 'Calls that this node hears', gauges.liveCalls);
  gauge(
    'voicegate_live_calls_left',
    'Of these, calls whose connection broke and that wait for it',
    gauges.liveCallsLeft,
  );
  const decisions = new Counter({
    name: 'voicegate_decisions_total',
    help: 'Verifications decided, by decision, tier and first reason (none for ACCEPT)',
    labelNames: ['decision', 'tier', 'reason'],
    registers: [registry],
  });
  const enrolments = new Counter({
    name: 'voicegate_voiceprints_total',
    help: 'Voiceprints made',
    registers: [registry],
  });
  const quietUtterances = new Counter({
    name: 'voicegate_quiet_utterances_total',
    help: 'Accepted calls that might give an utterance for the next model, by what became of it',
    labelNames: ['result'],
    registers: [registry],
  });
  const stages = new Histogram({
    name: 'voicegate_stage_seconds',
    help: 'Time of one stage of a request',
    labelNames: ['stage'],
    buckets: latencyBucketsSeconds,
    registers: [registry],
  });
  const requests = new Histogram({
    name: 'voicegate_http_request_seconds',
    help: 'HTTP requests by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: latencyBucketsSeconds,
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    decided: (decision, reasons, tier) => decisions.inc({ decision, tier, reason: reasons[0] ?? 'none' }),
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    request: (method, route, status, seconds) => requests.observe({ method, route, status: String(status) }, seconds),
    enrolled: () => enrolments.inc(),
    quietUtterance: (result) => quietUtterances.inc({ result }),
  };
}
