import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { activityNetworkOf, loadActivityCard } from './audio/activity-card.js';
import { SpeechActivityDetector } from './audio/speech-activity.js';
import { createDigitRecogniser } from './challenge/digit-recogniser.js';
import { loadRecogniserCard, recogniserNetworkOf } from './challenge/recogniser-card.js';
import { checkRecogniserGolden } from './challenge/recogniser-golden.js';
import type { Config } from './config.js';
import { createPinVault } from './credential/pin-vault.js';
import { createEmbedder } from './embedding/embedder.js';
import { checkGolden } from './embedding/golden.js';
import { loadModelCard, networkOf, type ModelCard } from './embedding/model-card.js';
import { resolveModelDir } from './embedding/model-folders.js';
import { VoicegateError } from './errors.js';
import { agentPromptNames } from './http/agent-words.js';
import { buildApp } from './http/app.js';
import type { App } from './http/http-app.js';
import type { InferencePool } from './inference/network.js';
import { PatientPool } from './inference/patient-pool.js';
import { startInferencePool } from './inference/pool.js';
import { createDialogues } from './ivr/dialogues.js';
import { ivrPromptNames } from './ivr/ivr-prompts.js';
import type { Logger } from './ops/log.js';
import { createMetrics } from './ops/metrics.js';
import { loadSecrets, type Secrets } from './ops/secrets.js';
import { createShutdown } from './ops/shutdown.js';
import { migrationsDir, modelsDir, rootDir } from './paths.js';
import { loadPrompts } from './prompts/prompts.js';
import { calibrationDir } from './scoring/calibration-folder.js';
import { loadScorer, type Scorer } from './scoring/score-voice.js';
import type { ServiceContext } from './service/context.js';
import { createFirstKey, ensureTenant } from './service/first-start.js';
import { createEars, type Ears } from './service/listen.js';
import { tidy } from './service/maintenance.js';
import type { Store } from './service/ports.js';
import type { DatabasePlace } from './storage/engine.js';
import { migrateDatabase, type MigrationReport } from './storage/migrate.js';
import { openStore } from './storage/store.js';
import { Telephony } from './telephony/telephony.js';

/** The version in package.json. */
export const { version } = JSON.parse(readFileSync(join(rootDir, 'package.json'), 'utf8')) as { version: string };

/** How often what has served its time is removed, ms. */
const tidyEveryMs = 300_000;
/** ffmpeg processes at once, and the time one recording may take. */
const ffmpeg = { ffmpegProcesses: 2, ffmpegTimeoutMs: 10_000 };

/** A running service. */
export interface Voicegate {
  readonly app: App;
  readonly context: ServiceContext;
  readonly pool: InferencePool;
  /** Base address, e.g. http://127.0.0.1:8080 */
  readonly url: string;
  /** Finishes what was accepted, then ends workers and database. Answers the phase that was still running at the time limit, or null. */
  stop(): Promise<{ readonly late: string | null }>;
}

/**
 * Wires the rooms together by hand and starts to listen: database, models (hash and golden vector checked), warm workers, then HTTP.
 * @throws VoicegateError `configuration_invalid`, `model_invalid`, `database_unavailable`, `database_newer`
 */
export async function start(config: Config, log: Logger): Promise<Voicegate> {
  const secrets = await loadSecrets({
    ...config,
    onCreated: (made) => log.warn(made, 'made a new secret: back it up, what was made with it is worthless without it'),
  });
  const agentPrompts = await loadPrompts('agent', agentPromptNames, config.promptsDir);
  const ivrPrompts = await loadPrompts('ivr', ivrPromptNames, config.promptsDir);
  const active = await loadSpeakerModel(config.modelId, config);
  const second = config.secondModelId === null ? null : await loadSpeakerModel(config.secondModelId, config);
  const speakers = second === null ? [active] : [active, second];
  const activityDir = join(modelsDir, 'activity-8k');
  const activityCard = await loadActivityCard(activityDir);
  const recogniserDir = resolveModelDir(config.recogniserId, config.installedModelsDir);
  const recogniserCard = await loadRecogniserCard(recogniserDir);
  const store = await openStore({ ...placeOf(config), auditKey: secrets.auditKey, migrationsDir });
  const metrics = createMetrics({
    waiting: () => pool.status().waiting,
    running: () => pool.status().running,
    workersReady: () => pool.status().workersReady,
    workersReplaced: () => pool.status().workersReplaced,
    liveCalls: () => telephony.calls.count,
    liveCallsLeft: () => telephony.calls.leftCount,
  });
  const pool = await startInferencePool({
    networks: [
      ...speakers.map(({ card, dir }) => networkOf(card, dir)),
      activityNetworkOf(activityCard, activityDir),
      recogniserNetworkOf(recogniserCard, recogniserDir),
    ],
    workers: config.workers,
    queueLimit: config.queueLimit,
    onEvent: (event) => {
      if (event.kind === 'run') {
        metrics.stage(`${event.networkId}-queue`, event.queuedMs / 1000);
        metrics.stage(`${event.networkId}-features`, event.featuresMs / 1000);
        metrics.stage(`${event.networkId}-network`, event.networkMs / 1000);
      } else if (event.kind === 'worker-lost') log.error(event, 'a worker was lost');
    },
  });
  for (const { card, dir } of speakers) await checkGolden(pool, card, dir);
  await checkRecogniserGolden(pool, recogniserCard, recogniserDir);
  const earsOn = (runner: Pick<InferencePool, 'run'>): Ears =>
    createEars({
      limits: {
        ...ffmpeg,
        ffmpegPath: config.ffmpegPath,
        maxBytes: config.maxBodyBytes,
        maxSeconds: config.maxAudioSeconds,
      },
      activity: new SpeechActivityDetector(runner, activityCard),
      embedders: [
        createEmbedder(runner, active.card),
        ...(second === null ? [] : [createEmbedder(runner, second.card)]),
      ],
      recogniser: createDigitRecogniser(runner, recogniserCard),
      onStage: metrics.stage,
    });
  const context: ServiceContext = {
    store,
    ears: earsOn(pool),
    // Who is being heard may not be turned away: calls wait for their turn.
    liveEars: earsOn(new PatientPool(pool, 2 * config.workers)),
    pins: await createPinVault({
      pepper: secrets.pinPepper,
      concurrency: config.workers,
      queueLimit: config.queueLimit,
    }),
    scorers: new Map(speakers.map(({ card, scorer }) => [card.id, scorer])),
    policies: new Map(),
    hashKey: secrets.hashKey,
    now: () => new Date(),
    onStage: metrics.stage,
    onDecided: metrics.decided,
    onEnrolled: metrics.enrolled,
    onQuietUtterance: (result, fault) => {
      metrics.quietUtterance(result);
      if (result === 'failed') {
        const { name, code } = fault as Error & { readonly code?: string };
        log.warn({ name, code }, 'an accepted call gave no utterance for the other model');
      }
    },
  };
  if (await ensureTenant(context)) await introduce(context, config, log);

  let stopping = false;
  const telephony = new Telephony(context, {
    ...config,
    onFault: (facts) => log.warn(facts, 'a call or its events failed'),
  });
  const app = await buildApp(context, {
    log,
    metrics,
    ...config,
    version,
    streams: telephony,
    ivr: createDialogues(context, { prompts: ivrPrompts, tries: config.ivrTries, transferTo: config.ivrTransferTo }),
    agentPrompts,
    ready: async () => {
      if (stopping) throw new VoicegateError('shutting_down', 'The service is stopping');
      await store.ping();
      const { workersReady } = pool.status();
      if (workersReady === 0) {
        throw new VoicegateError('busy', 'No inference worker is ready', { retryAfterSeconds: 1 });
      }
    },
  });
  const tidying = setInterval(() => {
    tidy(context).catch((fault: unknown) => log.warn({ code: (fault as VoicegateError).code }, 'tidying failed'));
  }, tidyEveryMs);
  tidying.unref();
  await telephony.open(app.server);
  const url = await app.listen({ host: config.host, port: config.port }).catch((cause: unknown) => {
    throw new VoicegateError('configuration_invalid', `cannot listen on ${config.host} port ${config.port}`, {
      hint: `${(cause as NodeJS.ErrnoException).code ?? 'unknown'}: set VOICEGATE_HOST and VOICEGATE_PORT to a free address of this machine`,
      cause,
    });
  });
  log.info(
    {
      url,
      models: speakers.map(({ card }) => card.id),
      workers: config.workers,
      database: config.databaseUrl === null ? 'embedded' : 'postgresql',
    },
    'ready',
  );
  const stop = createShutdown(
    [
      // Before HTTP: its server waits for the connections of calls.
      { name: 'calls', end: () => telephony.close() },
      { name: 'http', end: () => app.close() },
      { name: 'inference', end: () => pool.close() },
      { name: 'database', end: () => store.close() },
    ],
    config.shutdownTimeoutMs,
    (phase, fault) => log.error({ phase, name: (fault as Error).name }, 'a phase of the shutdown failed'),
  );
  return {
    app,
    context,
    pool,
    url,
    stop: () => {
      stopping = true;
      clearInterval(tidying);
      return stop();
    },
  };
}

/** At home the first key is made with the database; at an operator's server keys are made with the command line. */
async function introduce(context: ServiceContext, config: Config, log: Logger): Promise<void> {
  if (config.databaseUrl !== null) {
    log.warn('a new database: make a first key with `voicegate keys create`');
    return;
  }
  const path = join(config.dataDir, 'first-api-key');
  await writeFile(path, `${await createFirstKey(context)}\n`, { mode: 0o600 });
  log.warn({ path }, 'a new database: a first API key with every role lies in this file');
}

/** A speaker model with what its scores mean. @throws VoicegateError `model_invalid` */
export async function loadSpeakerModel(
  modelId: string,
  config: Config,
): Promise<{ readonly dir: string; readonly card: ModelCard; readonly scorer: Scorer }> {
  const dir = resolveModelDir(modelId, config.installedModelsDir);
  const card = await loadModelCard(dir);
  return { dir, card, scorer: await loadScorer(calibrationDir(modelId, dir, config), card) };
}

/** Where the configuration says the data is. */
function placeOf(config: Config): DatabasePlace {
  return config.databaseUrl === null
    ? { dataDir: config.dataDir }
    : { databaseUrl: config.databaseUrl, poolSize: config.databaseConnections };
}

/**
 * Opens the database for one command and closes it afterwards. The embedded database cannot be opened while the service runs on it:
 * then the HTTP interface does the same.
 * @throws VoicegateError as `openStore` and `loadSecrets` do
 */
export async function withStore<T>(config: Config, work: (store: Store, secrets: Secrets) => Promise<T>): Promise<T> {
  const secrets = await loadSecrets({
    ...config,
    onCreated: ({ name, path }) => process.stderr.write(`made a new ${name} in ${path}: back it up\n`),
  });
  const store = await openStore({ ...placeOf(config), auditKey: secrets.auditKey, migrationsDir });
  try {
    return await work(store, secrets);
  } finally {
    await store.close();
  }
}

/** Brings the schema up to date and ends. @throws VoicegateError as `migrateDatabase` does */
export async function migrate(config: Config): Promise<MigrationReport> {
  return migrateDatabase(placeOf(config), migrationsDir);
}
