import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { defaultModelId } from '../src/config.js';
import { activityNetworkOf, loadActivityCard } from '../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../src/audio/speech-activity.js';
import { createDigitRecogniser } from '../src/challenge/digit-recogniser.js';
import { loadRecogniserCard, recogniserNetworkOf } from '../src/challenge/recogniser-card.js';
import { defaultPolicy } from '../src/decision/policy.js';
import { createEmbedder } from '../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../src/embedding/model-card.js';
import { startInferencePool } from '../src/inference/pool.js';
import { modelsDir } from '../src/paths.js';
import { createEars } from '../src/service/listen.js';
import { benchPin, challengeFor, enrolCaller, expect, fixture, unheardLanguage } from './callers.js';
import type { Client } from './client.js';
import { forget, serve } from './served.js';
import { median, quantile } from './statistics.js';

const workers = 2;
const accounts = 20;
const perAccount = 10;
const inFlight = 8;
const rounds = 5;

/**
 * HTTP verification against the same work in process, by turns in one run: decode, speech activity, features, network on both sides, with
 * two workers; over HTTP also key, challenge, ladder, decision, record and audit. The service is a process of its own; this process is the
 * client. Then the PIN's cost and the latency at 70 % load. DATABASE_URL chooses a server with an empty database instead of the embedded one.
 */
export async function benchService(): Promise<void> {
  const recordings = [1, 2, 3].map((number) => fixture(`callers/zh-f4/verify-${number}.wav`));
  const bare = await bareWork();
  const served = await serve({ env: { VOICEGATE_WORKERS: String(workers), ...databaseOf(process.env) } });
  try {
    const { client } = served;
    await manyChallenges(client);
    const ids = Array.from({ length: accounts }, (_, index) => `bench-${index}`);
    const enrolment = [1, 2, 3, 4, 5].map((number) => fixture(`callers/zh-f4/enrol-${number}.wav`));
    for (const id of ids) await enrolCaller(client, id, enrolment);
    const count = accounts * perAccount;
    const recordingOf = (index: number): Buffer => recordings[index % recordings.length] ?? Buffer.alloc(0);

    const bareRates: number[] = [];
    const httpRates: number[] = [];
    const pinRates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bareRates.push(await rate(count, (index) => bare.hear(recordingOf(index))));
      const first = await challenges(client, ids);
      httpRates.push(await rate(count, (index) => verify(client, first, index, recordingOf(index))));
      const second = await challenges(client, ids);
      pinRates.push(await rate(count, (index) => verify(client, second, index, recordingOf(index), benchPin)));
    }
    const share = median(httpRates.map((http, round) => http / (bareRates[round] ?? 1)));
    const pinShare = median(pinRates.map((pin, round) => pin / (httpRates[round] ?? 1)));
    print('HTTP verification, no PIN, as a share of the same work in process', `${(100 * share).toFixed(0)} %`);
    print('HTTP verification with PIN, as a share of that without', `${(100 * pinShare).toFixed(0)} %`);
    print('in process, two workers', `${median(bareRates).toFixed(1)} a second`);
    print('HTTP, no PIN', `${median(httpRates).toFixed(1)} a second`);
    print('HTTP, with PIN', `${median(pinRates).toFixed(1)} a second`);

    const third = await challenges(client, ids);
    const everyMs = 1000 / (0.7 * median(httpRates));
    const times = await steadily(count, everyMs, (index) => verify(client, third, index, recordingOf(index)));
    for (const q of [0.5, 0.95, 0.99]) {
      print(`HTTP, no PIN, p${Math.round(100 * q)} at 70 % of that load`, `${quantile(times, q).toFixed(0)} ms`);
    }
  } finally {
    await served.end('SIGTERM');
    await forget(served.dataDir);
    await bare.close();
  }
}

const databaseOf = ({ DATABASE_URL }: NodeJS.ProcessEnv): Record<string, string> =>
  DATABASE_URL === undefined ? {} : { DATABASE_URL };

async function bareWork(): Promise<{ hear(bytes: Buffer): Promise<unknown>; close(): Promise<void> }> {
  const speakerDir = join(modelsDir, defaultModelId);
  const activityDir = join(modelsDir, 'activity-8k');
  const card = await loadModelCard(speakerDir);
  const activityCard = await loadActivityCard(activityDir);
  const recogniserDir = join(modelsDir, 'digits-8k');
  const recogniserCard = await loadRecogniserCard(recogniserDir);
  const pool = await startInferencePool({
    networks: [
      networkOf(card, speakerDir),
      activityNetworkOf(activityCard, activityDir),
      recogniserNetworkOf(recogniserCard, recogniserDir),
    ],
    workers,
    queueLimit: 64,
  });
  const ears = createEars({
    limits: { maxBytes: 8e6, maxSeconds: 60, ffmpegPath: 'ffmpeg', ffmpegProcesses: 1, ffmpegTimeoutMs: 10_000 },
    activity: new SpeechActivityDetector(pool, activityCard),
    embedders: [createEmbedder(pool, card)],
    recogniser: createDigitRecogniser(pool, recogniserCard),
    onStage: () => undefined,
  });
  return {
    hear: async (bytes) =>
      ears.hear(await ears.decode({ bytes, contentType: 'audio/wav', channel: null }), {
        hears: 'caller',
        digitsIn: unheardLanguage,
      }),
    close: () => pool.close(),
  };
}

async function manyChallenges(client: Client): Promise<void> {
  const document = {
    ...defaultPolicy,
    challenge: { ...defaultPolicy.challenge, maxOpen: perAccount, validitySeconds: 600 },
  };
  const stored = expect(await client.json('PUT', '/v1/policies', document), 201);
  expect(await client.json('POST', `/v1/policies/${String(stored.body.version)}/activate`), 200);
}

interface Asked {
  readonly accountId: string;
  readonly challengeId: string;
}

async function challenges(client: Client, ids: readonly string[]): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (let turn = 0; turn < perAccount; turn++) {
    for (const accountId of ids) asked.push({ accountId, challengeId: await challengeFor(client, accountId) });
  }
  return asked;
}

async function verify(
  client: Client,
  asked: readonly Asked[],
  index: number,
  recording: Buffer,
  pin?: string,
): Promise<void> {
  const fields = { accountId: '', challengeId: '', ...asked[index], tier: 'low', pin };
  const { body } = expect(await client.form('/v1/verifications', fields, recording), 200);
  const wanted = pin === undefined ? 'STEP_UP' : 'ACCEPT';
  if (body.decision !== wanted)
    throw new Error(`${String(body.decision)} ${String(body.reasons)} instead of ${wanted}`);
}

/** Runs `count` pieces of work, some at a time; answers how many a second. */
async function rate(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const startMs = performance.now();
  const line = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, line));
  return (1000 * count) / (performance.now() - startMs);
}

/** Starts one piece of work every so often, whether or not the ones before have ended; answers each one's time from its due start, ms. */
async function steadily(count: number, everyMs: number, work: (index: number) => Promise<unknown>): Promise<number[]> {
  const startMs = performance.now();
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const dueMs = startMs + index * everyMs;
      await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
      await work(index);
      return performance.now() - dueMs;
    }),
  );
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(72)} ${figure}\n`);
}
