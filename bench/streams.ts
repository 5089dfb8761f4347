import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from './activity-noise.js';
import { bareEmbeddingShare, type BareShare } from './bare-calls.js';
import { callSide } from './call-side.js';
import { enrolCaller, fixture } from './callers.js';
import { PacedCall, type CallRecord } from './paced-call.js';
import { residentMiB, usageOf } from './process-usage.js';
import { forget, serve, type Served } from './served.js';
import { quantile } from './statistics.js';

/** What is asked of a service that holds so many calls. */
const goals = { takenP99Ms: 40, verdictP99Ms: 300 };
const callers = ['zh-f4', 'zh-m5', 'en-slt', 'en-rms'];
/** Calls share accounts: a call needs a voiceprint, not one of its own. */
const accountsPerCaller = 10;
/** prom-client watches the event loop with a timer of this period, which its figures include, ms. */
const loopTimerMs = 10;
const tickMs = 2;

interface Level {
  readonly calls: number;
  readonly records: readonly CallRecord[];
  readonly refused: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Cores that were busy: the service, its main thread, this process. */
  readonly serviceCores: number;
  readonly mainCores: number;
  readonly clientCores: number;
  readonly loopDelayP99Ms: number;
  readonly residentMiB: number;
}

/**
 * Live calls in real time over loopback, this process being all their clients: more and more of them until the service does not hold them. Each
 * is a passive verification; one that has its verdict is followed by another at once, so that as many are always being verified. Then as many as
 * the service takes and a fifth more: those are refused, and the others are to be held as before. DATABASE_URL chooses a server with an empty
 * database instead of the embedded one.
 * @param wanted numbers of calls, by commas, or one with `+` for the overload alone, e.g. `50,100,150` or `100+`
 */
export async function benchStreams(wanted = '25,50,100,150,200,250,300', secondsPerLevel = 40): Promise<void> {
  const sides = callers.map(callSide);
  const overloadOnly = wanted.endsWith('+');
  const levels = overloadOnly ? [] : wanted.split(',').map(Number);
  const bare = await bareEmbeddingShare(sides);
  let held = overloadOnly ? Number(wanted.slice(0, -1)) : 0;
  if (levels.length > 0) {
    print(heading);
    await withService(10_000, async (bench) => {
      for (const calls of levels) {
        const level = await bench.hold(calls, calls, secondsPerLevel);
        print(row(level));
        if (!holds(level)) break;
        held = calls;
        if (calls === levels.at(-1) || calls >= 150) printShares(level, bare);
      }
    });
    print(`held: ${held} calls`);
  }
  if (held === 0) return;
  print(`\nas many as the service takes (${held}), then a fifth more:`);
  print(heading);
  await withService(held, async (bench) => {
    print(row(await bench.hold(held, held, secondsPerLevel)));
    const overloaded = await bench.hold(Math.ceil(1.2 * held), held, secondsPerLevel);
    print(row(overloaded));
    print(`refused: ${JSON.stringify(overloaded.refused)}`);
  });
}

interface Bench {
  /** Keeps `calls` clients at it for so long; `most` of them are expected to be taken. */
  hold(calls: number, most: number, seconds: number): Promise<Level>;
}

async function withService(maxCalls: number, work: (bench: Bench) => Promise<void>): Promise<void> {
  const { DATABASE_URL } = process.env;
  const served = await serve({
    env: {
      VOICEGATE_WORKERS: '2',
      VOICEGATE_MAX_CALLS: String(maxCalls),
      ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }),
    },
    nodeOptions: (process.env.VOICEGATE_TEST_NODE_OPTIONS ?? '').split(' ').filter((option) => option !== ''),
  });
  try {
    const stamp = Date.now().toString(36);
    for (const caller of callers) {
      const recordings = [1, 2, 3, 4, 5].map((n) => fixture(`callers/${caller}/enrol-${n}.wav`));
      for (let n = 0; n < accountsPerCaller; n++)
        await enrolCaller(served.client, `${caller}-${n}-${stamp}`, recordings);
    }
    await work({ hold: (calls, most, seconds) => hold(served, stamp, calls, most, seconds) });
  } finally {
    await served.end('SIGTERM');
    if (DATABASE_URL === undefined) await forget(served.dataDir);
  }
}

async function hold(served: Served, stamp: string, calls: number, most: number, seconds: number): Promise<Level> {
  const sides = callers.map(callSide);
  const random = seededRandom(calls);
  const live = new Set<PacedCall>();
  const records: CallRecord[] = [];
  const refused: Record<string, number> = {};
  const refusal = (code: string): void => void (refused[code] = (refused[code] ?? 0) + 1);
  let over = false;
  const ticking = setInterval(() => {
    const nowMs = performance.now();
    for (const call of live) call.tick(nowMs);
  }, tickMs);

  const line = async (index: number): Promise<void> => {
    const voice = index % callers.length;
    const accountId = `${callers[voice] ?? ''}-${Math.floor(index / callers.length) % accountsPerCaller}-${stamp}`;
    const audio = sides[voice] ?? Buffer.alloc(0);
    while (!over) {
      const { status, body } = await served.client.json('POST', '/v1/streams', {
        mode: 'passive',
        accountId,
        agentId: 'agent-1',
        identifiedByAgent: true,
      });
      if (status !== 201) {
        refusal(`${status} ${String(body.code)}`);
        await sleep(1000);
        continue;
      }
      if (over) return;
      const from = Math.floor((random() * audio.length) / 160) * 160;
      const call = new PacedCall(String(body.url), audio, from % (audio.length - 160), random);
      live.add(call);
      const record = await call.done;
      live.delete(call);
      if (record.seconds === 0) {
        refusal(`close ${record.closeCode}`);
        await sleep(1000);
      } else if (!over) records.push(record);
    }
  };
  // Not all at once: lines ring when they ring.
  const startOverMs = 10_000;
  const lines = Array.from({ length: calls }, async (_, index) => {
    await sleep((startOverMs * index) / calls);
    await line(index);
  });
  const all = Promise.all(lines);
  all.catch(() => undefined);
  await sleep(startOverMs + 5000);
  records.length = 0;
  for (const code of Object.keys(refused)) delete refused[code];
  await loopDelayOf(served);
  const before = { service: usageOf(served.pid), client: process.cpuUsage(), atMs: performance.now() };
  await sleep(seconds * 1000);
  const spentSeconds = (performance.now() - before.atMs) / 1000;
  const service = usageOf(served.pid);
  const client = process.cpuUsage(before.client);
  const loopDelayP99Ms = await loopDelayOf(served);
  over = true;
  for (const call of live) call.hangUp();
  await all;
  clearInterval(ticking);
  return {
    calls: most,
    records,
    refused: { ...refused },
    seconds: spentSeconds,
    serviceCores: (service.totalSeconds - before.service.totalSeconds) / spentSeconds,
    mainCores: (service.mainSeconds - before.service.mainSeconds) / spentSeconds,
    clientCores: (client.user + client.system) / 1e6 / spentSeconds,
    loopDelayP99Ms,
    residentMiB: residentMiB(served.pid),
  };
}

/** The service's event loop delay (99 in 100 are shorter) since the last asking, ms. */
async function loopDelayOf({ url }: Served): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return 1000 * Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(text)?.[1]) - loopTimerMs;
}

const takenOf = ({ records }: Level): number[] => records.flatMap((record) => record.takenAfterMs);
const verdictsOf = ({ records }: Level): number[] =>
  records.flatMap(({ verdict }) => (verdict === null ? [] : [verdict.afterMs]));
const unexpected = ({ records }: Level): CallRecord[] =>
  records.filter(({ verdict, closeCode }) => verdict === null || closeCode !== 1000);

const holds = (level: Level): boolean =>
  quantile(takenOf(level), 0.99) < goals.takenP99Ms &&
  quantile(verdictsOf(level), 0.99) < goals.verdictP99Ms &&
  unexpected(level).length === 0;

const columns = [
  'calls',
  'verdicts',
  'ACCEPT',
  'lost',
  'frame p50',
  'p99',
  'max ms',
  'verdict p50',
  'p99',
  'max ms',
  'loop p99 ms',
  'sent late p99 ms',
  'service cores',
  'main thread',
  'clients',
  'MiB',
];
const heading = `| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}`;

function row(level: Level): string {
  const [taken, verdicts] = [takenOf(level), verdictsOf(level)];
  const late = level.records.flatMap((record) => record.sentLateMs);
  const accepted = level.records.filter(({ verdict }) => verdict?.decision === 'ACCEPT').length;
  const cells = [
    level.calls,
    verdicts.length,
    accepted,
    unexpected(level).length,
    ...[0.5, 0.99, 1].map((q) => quantile(taken, q).toFixed(1)),
    ...[0.5, 0.99, 1].map((q) => quantile(verdicts, q).toFixed(0)),
    level.loopDelayP99Ms.toFixed(1),
    quantile(late, 0.99).toFixed(1),
    level.serviceCores.toFixed(2),
    level.mainCores.toFixed(2),
    level.clientCores.toFixed(2),
    level.residentMiB.toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}

function printShares({ calls, serviceCores }: Level, bare: BareShare): void {
  print(`one call of ${calls}: ${percent(serviceCores / calls)} of a core`);
  print(
    `bare: its embeddings ${percent(bare.ours)} in our session, ${percent(bare.sherpa)} in sherpa-onnx; finding its speech ${percent(bare.activity)}`,
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
