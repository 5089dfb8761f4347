import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callSide } from './call-side.js';
import { enrolCaller, fixture } from './callers.js';
import { kindOf, mixedCall } from './mixed-calls.js';
import { openFilesOf, residentMiB } from './process-usage.js';
import { forget, serve, type Served } from './served.js';
import { median } from './statistics.js';

const inFlight = 8;
/** Lost calls wait so long for their peer, and events of ended calls are kept so long; then nothing is to be left. */
const settledMs = 30_000 + 60_000 + 15_000;

interface Sample {
  readonly heapMiB: number;
  readonly residentMiB: number;
}

/** What a process holds while it has nothing to do. */
interface Held {
  /** After everything unreachable was collected. */
  readonly heapMiB: number;
  readonly residentMiB: number;
  readonly open: ReturnType<typeof openFilesOf>;
  readonly handles: number;
  /** Timers, sockets and whatever else keeps the event loop, by kind. */
  readonly resources: string;
}

/**
 * Many short calls of every kind (completed, ended in silence, gone on with, lost, unknown, broken, never begun), every seventh with webhooks, against
 * a service process: what it holds before and after, and its memory by quarter.
 */
export async function benchSoak(calls: number): Promise<void> {
  // The desktop takes two webhooks of three.
  let told = 0;
  const desktop = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(told++ % 3 === 0 ? 503 : 204).end());
  });
  await new Promise<void>((resolve) => desktop.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(desktop.address() as AddressInfo).port}`;
  const snapshots = await mkdtemp(join(tmpdir(), 'voicegate-soak-'));
  const served = await serve({
    nodeOptions: ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${snapshots}`],
    env: {
      VOICEGATE_WORKERS: '2',
      VOICEGATE_MAX_CALLS: '10000',
      VOICEGATE_EVENT_HOSTS: host,
      VOICEGATE_LOG_LEVEL: 'info',
    },
  });
  try {
    const recordings = [1, 2, 3, 4, 5].map((n) => fixture(`callers/zh-f4/enrol-${n}.wav`));
    await enrolCaller(served.client, 'caller', recordings);
    const place = {
      register: (body: object) => served.client.json('POST', '/v1/streams', body),
      accountId: 'caller',
      audio: callSide('zh-f4'),
      eventsUrl: `http://${host}/events`,
    };
    // What is made once and kept: connections, compiled code, statements.
    for (let n = 0; n < 20; n++) await mixedCall(place, n);
    await sleep(settledMs);
    const before = await heldBy(served, snapshots);
    const samples: Sample[] = [];
    const odd = new Map<string, number>();
    let next = 0;
    const line = async (): Promise<void> => {
      while (next < calls) {
        const index = next++;
        const fault = await mixedCall(place, index);
        if (fault !== null) odd.set(fault, (odd.get(fault) ?? 0) + 1);
        if (index % 20 === 0) samples.push(await sampleOf(served));
        if (index % 1000 === 0) print(`${index} of ${calls}`);
      }
    };
    const startMs = Date.now();
    await Promise.all(Array.from({ length: inFlight }, line));
    const seconds = (Date.now() - startMs) / 1000;
    await sleep(settledMs);
    const after = await heldBy(served, snapshots);
    const kinds = new Map<string, number>();
    for (let n = 0; n < calls; n++) kinds.set(kindOf(n), (kinds.get(kindOf(n)) ?? 0) + 1);
    print(
      `${calls} calls in ${seconds.toFixed(0)} s: ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ')}; ${told} webhooks`,
    );
    print(`otherwise than they should: ${odd.size === 0 ? 'none' : JSON.stringify([...odd])}`);
    print(
      `sockets ${before.open.sockets} before, ${after.open.sockets} after; files ${before.open.files}, ${after.open.files}; handles ${before.handles}, ${after.handles}`,
    );
    print(
      `heap after a collection, MiB: ${before.heapMiB.toFixed(1)} before, ${after.heapMiB.toFixed(1)} after; resident ${before.residentMiB.toFixed(0)}, ${after.residentMiB.toFixed(0)}`,
    );
    print(`keeping the event loop before: ${before.resources}`);
    print(`keeping the event loop after:  ${after.resources}`);
    const quarter = Math.floor(samples.length / 4);
    const quarters = [0, 1, 2, 3].map((n) => samples.slice(n * quarter, (n + 1) * quarter));
    print(
      `heap, MiB, least by quarter: ${quarters.map((part) => Math.min(...part.map((one) => one.heapMiB)).toFixed(1)).join(' ')}`,
    );
    print(
      `resident, MiB, median by quarter: ${quarters.map((part) => median(part.map((one) => one.residentMiB)).toFixed(0)).join(' ')}`,
    );
  } finally {
    await served.end('SIGTERM');
    await forget(served.dataDir);
    await forget(snapshots);
    desktop.close();
    desktop.closeAllConnections();
  }
}

const metricsOf = async ({ url }: Served): Promise<string> => (await fetch(`${url}/metrics`)).text();

async function sampleOf(served: Served): Promise<Sample> {
  const bytes = Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(await metricsOf(served))?.[1]);
  return { heapMiB: bytes / 2 ** 20, residentMiB: residentMiB(served.pid) };
}

async function heldBy(served: Served, snapshots: string): Promise<Held> {
  // A snapshot begins with a full collection; it is thrown away.
  process.kill(served.pid, 'SIGUSR2');
  await sleep(10_000);
  for (const name of await readdir(snapshots)) await rm(join(snapshots, name));
  const metrics = await metricsOf(served);
  const resources = [...metrics.matchAll(/^nodejs_active_resources\{type="(\w+)"\} (\d+)/gm)];
  return {
    ...(await sampleOf(served)),
    open: openFilesOf(served.pid),
    handles: Number(/^nodejs_active_handles_total (\d+)/m.exec(metrics)?.[1]),
    resources: resources
      .map(([, type, count]) => `${type ?? ''} ${count ?? ''}`)
      .sort()
      .join(', '),
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
