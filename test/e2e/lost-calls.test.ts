import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { callSide } from '../../bench/call-side.js';
import { enrolCaller, fixture } from '../../bench/callers.js';
import type { Client } from '../../bench/client.js';
import { serve, type Served } from '../../bench/served.js';
import { rootDir } from '../../src/paths.js';
import { until } from '../until.js';
import { openTestPlace, temporaryFolder } from '../storage/open-test-store.js';

t.setTimeout(200_000);
const place = await openTestPlace(t);
const dataDir = 'dataDir' in place ? place.dataDir : temporaryFolder(t);

/** The agent desktop: takes webhooks. */
const delivered: { readonly event: string; readonly data: Record<string, any> }[] = [];
const desktop = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    delivered.push(JSON.parse(body));
    response.writeHead(204).end();
  });
});
await new Promise<void>((resolve) => desktop.listen(0, '127.0.0.1', resolve));
t.teardown(() => void desktop.close());
const desktopHost = `127.0.0.1:${(desktop.address() as AddressInfo).port}`;

const env = {
  VOICEGATE_PIN_PEPPER: randomBytes(32).toString('hex'),
  VOICEGATE_AUDIT_KEY: randomBytes(32).toString('hex'),
  VOICEGATE_DATA_DIR: dataDir,
  VOICEGATE_WORKERS: '1',
  VOICEGATE_EVENT_HOSTS: desktopHost,
  ...('databaseUrl' in place ? { DATABASE_URL: place.databaseUrl } : {}),
};
const roles = ['verifier', 'enroller', 'analyst', 'admin'].flatMap((role) => ['--role', role]);
const made = spawnSync(
  process.execPath,
  [join(rootDir, 'dist', 'src', 'cli.js'), 'keys', 'create', '--label', 'test', ...roles, '--answer', 'full'],
  { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' },
);
const apiKey = made.stdout.trim();
const start = (): Promise<Served> => serve({ dataDir, env, apiKey });

/** Registers a call and lets it be heard until speech was found. */
async function callBegun(client: Client) {
  const { body } = await client.json('POST', '/v1/streams', {
    mode: 'passive',
    accountId: 'caller',
    agentId: 'agent-1',
    identifiedByAgent: true,
    eventsUrl: `http://${desktopHost}/events`,
  });
  const messages: Record<string, any>[] = [];
  const socket = new WebSocket(String(body.url), 'voicegate.v1');
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
  const gone = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(JSON.stringify({ type: 'hello', encoding: 'mulaw', sampleRateHz: 8000, channels: ['customer'] }));
  socket.send(callSide('zh-f4').subarray(0, 4 * 8000));
  await until(() => messages.some(({ type }) => type === 'progress'));
  return { streamId: String(body.streamId), messages, gone };
}
const stateOf = async (client: Client, streamId: string) => (await client.json('GET', `/v1/streams/${streamId}`)).body;

void t.test(
  'kill -9 in mid-call: one outcome, INCONCLUSIVE with SERVICE_RESTARTED, seen from every node and told',
  async (t) => {
    let first = await start();
    await enrolCaller(
      first.client,
      'caller',
      [1, 2, 3, 4, 5].map((n) => fixture(`callers/zh-f4/enrol-${n}.wav`)),
    );
    const call = await callBegun(first.client);
    const resumeToken = call.messages.find(({ type }) => type === 'hello')?.resumeToken as string;
    // A second node where the database allows one; else the same one, started again.
    let second = 'databaseUrl' in place ? await start() : null;
    await first.end('SIGKILL');
    t.equal(await call.gone, 1006);
    t.notOk(
      call.messages.some(({ type }) => type === 'verdict'),
      'nothing was decided',
    );
    second ??= first = await start();
    t.teardown(() => second?.end('SIGTERM'));
    const { client } = second;
    t.match(await stateOf(client, call.streamId), { state: 'live', outcome: null }, 'its lease is not over yet');
    const told = fetch(`${second.url}/v1/streams/${call.streamId}/events`, {
      headers: { authorization: `Bearer ${apiKey}` },
    }).then((response) => response.text());
    await until(async () => (await stateOf(client, call.streamId)).state === 'ended');
    t.match(await stateOf(client, call.streamId), {
      outcome: { kind: 'none', decision: 'INCONCLUSIVE', reasons: ['SERVICE_RESTARTED'], cause: 'node_lost' },
    });
    const events = [...(await told).matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    t.equal(events.at(-1), 'closed', 'the event stream of another node tells the end');
    await until(() => delivered.some(({ event }) => event === 'closed'));
    t.match(
      delivered.find(({ event }) => event === 'verdict'),
      { data: { streamId: call.streamId, decision: 'INCONCLUSIVE', reasons: ['SERVICE_RESTARTED'] } },
    );
    const again = new WebSocket(`${second.url.replace('http', 'ws')}/v1/streams`, 'voicegate.v1');
    await new Promise((resolve) => again.on('open', resolve));
    again.send(
      JSON.stringify({
        type: 'hello',
        encoding: 'mulaw',
        sampleRateHz: 8000,
        channels: ['customer'],
        resume: resumeToken,
      }),
    );
    t.equal(await new Promise((resolve) => again.on('close', resolve)), 4404, 'the call cannot be gone on with');
    const entries = (await client.json('GET', '/v1/audit?limit=1000')).body.entries as { event: { kind: string } }[];
    t.notOk(
      entries.some(({ event }) => event.kind === 'verification_decided'),
      'no verification was recorded',
    );
  },
);

void t.test('SIGTERM in mid-call: the peer is told and closed with 1012, the state is INCONCLUSIVE', async (t) => {
  const served = await start();
  t.teardown(() => served.end('SIGTERM'));
  const call = await callBegun(served.client);
  const ended = served.end('SIGTERM');
  t.equal(await call.gone, 1012);
  t.match(call.messages.at(-1), { type: 'closed', reason: 'shutting_down' });
  t.equal(await ended, 0, 'the process ends by itself');
  const again = await start();
  t.teardown(() => again.end('SIGTERM'));
  t.match(await stateOf(again.client, call.streamId), {
    state: 'ended',
    outcome: { kind: 'none', decision: 'INCONCLUSIVE', reasons: ['SERVICE_RESTARTED'], cause: 'shutting_down' },
  });
});
