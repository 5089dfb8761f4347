import { PassThrough } from 'node:stream';
import type { Test } from 'tap';
import { agentPromptNames } from '../../src/http/agent-words.js';
import { buildApp } from '../../src/http/app.js';
import type { App } from '../../src/http/http-app.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics } from '../../src/ops/metrics.js';
import { loadPrompts } from '../../src/prompts/prompts.js';
import { createApiKey } from '../../src/service/api-keys.js';
import type { AnswerKind, Role } from '../../src/service/ports.js';
import { Telephony } from '../../src/telephony/telephony.js';
import { testDialogues, type TestIvrOptions } from '../ivr/test-dialogues.js';
import { openHarness, type Harness } from '../service/harness.js';

/** The HTTP edge on the service harness. */
export interface HttpHarness extends Harness {
  readonly app: App;
  /** Everything that was logged. */
  readonly logged: () => string;
  /** A fresh key. */
  readonly key: (roles: readonly Role[], answer?: AnswerKind, tenantId?: string) => Promise<string>;
  /** A JSON request with a key; the parsed answer. */
  readonly call: (
    apiKey: string | null,
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<{
    readonly status: number;
    readonly body: Record<string, any>;
    readonly headers: Record<string, unknown>;
  }>;
}

/** Opens the edge with small limits; it closes with the test. */
export async function openHttp(
  t: Test,
  options: {
    readonly ratePerMinute?: number;
    readonly publicUrl?: string;
    readonly trustProxy?: boolean;
    readonly ivr?: TestIvrOptions;
  } = {},
): Promise<HttpHarness> {
  const harness = await openHarness(t);
  const chunks: string[] = [];
  const sink = new PassThrough();
  sink.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const none = (): number => 0;
  const telephony = new Telephony(harness.context, {
    maxCalls: 10,
    eventHosts: [],
    publicUrl: options.publicUrl ?? null,
    audioSocket: null,
    twilioAuthTokens: [],
    mediaBasicAuth: null,
    audioHookKeys: new Map(),
    onFault: () => undefined,
  });
  t.teardown(() => telephony.close());
  const app = await buildApp(harness.context, {
    log: createLog('trace', sink),
    metrics: createMetrics({
      waiting: none,
      running: none,
      workersReady: none,
      workersReplaced: none,
      liveCalls: none,
      liveCallsLeft: none,
    }),
    maxBodyBytes: 200_000,
    ratePerMinute: options.ratePerMinute ?? 100_000,
    requestTimeoutMs: 5000,
    trustProxy: options.trustProxy ?? false,
    publicUrl: options.publicUrl ?? null,
    version: '0.0.0',
    streams: telephony,
    ivr: await testDialogues(harness.context, options.ivr),
    agentPrompts: await loadPrompts('agent', agentPromptNames, null),
    ready: () => harness.context.store.ping(),
  });
  t.teardown(() => app.close());
  return {
    ...harness,
    app,
    logged: () => chunks.join(''),
    key: async (roles, answer = 'full', tenantId = 'operator') => {
      const operator = { tenantId, apiKeyId: null, roles, answer };
      return (await createApiKey(harness.context, operator, { label: 'test', roles, answer })).apiKey;
    },
    call: async (apiKey, method, url, body, headers = {}) => {
      const response = await app.inject({
        method,
        url,
        headers: { ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const text = response.body;
      return {
        status: response.statusCode,
        body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
        headers: response.headers,
      };
    },
  };
}

/** A multipart body by hand. */
export function formOf(
  fields: Record<string, string>,
  files: readonly { readonly name: string; readonly content: Buffer | string; readonly type: string }[],
): { readonly payload: Buffer; readonly headers: Record<string, string> } {
  const boundary = 'voicegate-test-boundary';
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`));
  }
  for (const { name, content, type } of files) {
    parts.push(
      Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="x"\r\ncontent-type: ${type}\r\n\r\n`,
      ),
      Buffer.from(content),
      Buffer.from('\r\n'),
    );
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { payload: Buffer.concat(parts), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}
