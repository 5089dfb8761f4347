import { join } from 'node:path';
import type { Test } from 'tap';
import wavefile from 'wavefile';
import { activityNetworkOf, loadActivityCard } from '../../src/audio/activity-card.js';
import { SpeechActivityDetector } from '../../src/audio/speech-activity.js';
import { createEmbedder } from '../../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../../src/embedding/model-card.js';
import { PatientPool } from '../../src/inference/patient-pool.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { agentPromptNames } from '../../src/http/agent-words.js';
import { buildApp } from '../../src/http/app.js';
import type { App } from '../../src/http/http-app.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics } from '../../src/ops/metrics.js';
import { modelsDir } from '../../src/paths.js';
import { loadScorer } from '../../src/scoring/score-voice.js';
import { loadPrompts } from '../../src/prompts/prompts.js';
import { createApiKey } from '../../src/service/api-keys.js';
import type { Caller, ServiceContext } from '../../src/service/context.js';
import { completeEnrolment } from '../../src/service/complete-enrolment.js';
import { addUtterance, startEnrolment } from '../../src/service/enrolments.js';
import { putAccount } from '../../src/service/accounts.js';
import { createEars } from '../../src/service/listen.js';
import { setPin } from '../../src/service/pins.js';
import { roles, type AnswerKind } from '../../src/service/ports.js';
import {
  getStream,
  registerStream,
  type NewStream,
  type StreamRequest,
  type StreamView,
} from '../../src/service/streams.js';
import { verify } from '../../src/service/verify.js';
import { defaultLimits, type SessionLimits, type Timers } from '../../src/telephony/call-session.js';
import { EventHub } from '../../src/telephony/event-hub.js';
import { LiveCallRegistry } from '../../src/telephony/live-calls.js';
import type { SessionOutput } from '../../src/telephony/session-io.js';
import { Telephony, type TelephonyOptions } from '../../src/telephony/telephony.js';
import { utterance } from '../audio/made-call.js';
import { testDialogues } from '../ivr/test-dialogues.js';
import { until } from '../until.js';
import { consented, goodPin, noProof, openHarness } from '../service/harness.js';

/** The test's own time for sessions: nothing happens until it is moved. */
export class ManualTimers implements Timers {
  private readonly waiting = new Set<{ readonly at: number; readonly work: () => void }>();
  private nowMs = 0;

  after(ms: number, work: () => void): () => void {
    const entry = { at: this.nowMs + ms, work };
    this.waiting.add(entry);
    return () => this.waiting.delete(entry);
  }

  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.waiting].filter(({ at }) => at <= untilMs).sort((one, other) => one.at - other.at);
      if (next === undefined) break;
      this.waiting.delete(next);
      this.nowMs = next.at;
      next.work();
    }
    this.nowMs = untilMs;
  }

  get pending(): number {
    return this.waiting.size;
  }
}

/** Live calls on a real store and real networks. */
export interface LiveHarness {
  readonly context: ServiceContext;
  readonly full: Caller;
  readonly opaque: Caller;
  readonly calls: LiveCallRegistry;
  readonly hub: EventHub;
  readonly timers: ManualTimers;
  /** Moves the service's clock. */
  wait(seconds: number): void;
  register(changes: Partial<StreamRequest>, caller?: Caller): Promise<NewStream>;
}

/** Opens it; it closes with the test. */
export async function openLive(
  t: Test,
  options: { readonly mostCalls?: number; readonly limits?: Partial<SessionLimits>; readonly model?: string } = {},
): Promise<LiveHarness> {
  const modelId = options.model ?? 'baseline-8k-80';
  const dirs = { speaker: join(modelsDir, modelId), activity: join(modelsDir, 'activity-8k') };
  const [card, activityCard] = [await loadModelCard(dirs.speaker), await loadActivityCard(dirs.activity)];
  const networks = [networkOf(card, dirs.speaker), activityNetworkOf(activityCard, dirs.activity)];
  const pool = await startInferencePool({ networks, workers: 2, queueLimit: 1000 });
  t.teardown(() => pool.close());
  const harness = await openHarness(t);
  const earsOn = (runner: Pick<typeof pool, 'run'>) =>
    createEars({
      limits: { maxBytes: 2 ** 24, maxSeconds: 120, ffmpegPath: 'ffmpeg', ffmpegProcesses: 1, ffmpegTimeoutMs: 10_000 },
      activity: new SpeechActivityDetector(runner, activityCard),
      embedders: [createEmbedder(runner, card)],
      recogniser: null,
      onStage: () => undefined,
    });
  const context: ServiceContext = {
    ...harness.context,
    ears: earsOn(pool),
    liveEars: earsOn(new PatientPool(pool, 4)),
    scorers: new Map([[modelId, await loadScorer(dirs.speaker, card)]]),
  };
  const timers = new ManualTimers();
  const hub = new EventHub(null);
  const calls = new LiveCallRegistry(context, {
    mostCalls: options.mostCalls ?? 100,
    hub,
    timers,
    limits: { ...defaultLimits, ...options.limits },
    onFault: (fault) => t.fail(String(fault)),
  });
  t.teardown(async () => {
    await calls.close();
    hub.close();
  });
  const full = await withKey(context, harness.full, 'full');
  return {
    context,
    full,
    opaque: await withKey(context, harness.opaque, 'opaque'),
    calls,
    hub,
    timers,
    wait: (seconds) => harness.wait(seconds),
    register: (changes, caller = full) => registerStream(context, caller, { ...plainRequest, ...changes }),
  };
}

/** Live calls behind a listening server, to be spoken to as from outside. */
export interface ServedHarness extends LiveHarness {
  readonly telephony: Telephony;
  readonly app: App;
  /** http://127.0.0.1:PORT */
  readonly base: string;
  /** A key with every role, for requests of the test's own. */
  readonly authorization: string;
  /** A JSON request with that key. */
  readonly api: (
    method: string,
    path: string,
    body?: object,
  ) => Promise<{ readonly status: number; readonly body: Record<string, any> }>;
}

/**
 * Serves every door, with sessions on the test's timers; it closes with the test.
 * @param options settings of the doors that are to be other than their defaults
 */
export async function openServed(
  t: Test,
  { model, ...options }: Partial<TelephonyOptions> & { readonly model?: string } = {},
): Promise<ServedHarness> {
  const live = await openLive(t, model === undefined ? {} : { model });
  const { context, timers, full } = live;
  const telephony = new Telephony(context, {
    maxCalls: 100,
    eventHosts: [],
    publicUrl: null,
    audioSocket: null,
    twilioAuthTokens: [],
    mediaBasicAuth: null,
    audioHookKeys: new Map(),
    timers,
    onFault: (facts) => t.fail(JSON.stringify(facts)),
    ...options,
  });
  const none = (): number => 0;
  const app = await buildApp(context, {
    log: createLog('silent'),
    metrics: createMetrics({
      waiting: none,
      running: none,
      workersReady: none,
      workersReplaced: none,
      liveCalls: () => telephony.calls.count,
      liveCallsLeft: () => telephony.calls.leftCount,
    }),
    maxBodyBytes: 200_000,
    ratePerMinute: 10_000,
    requestTimeoutMs: 5000,
    trustProxy: false,
    publicUrl: options.publicUrl ?? null,
    version: '0.0.0',
    streams: telephony,
    ivr: await testDialogues(context),
    agentPrompts: await loadPrompts('agent', agentPromptNames, null),
    ready: async () => undefined,
  });
  await telephony.open(app.server);
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await telephony.close();
    await app.close();
  });
  const { apiKey } = await createApiKey(context, full, { label: 'ivr', roles, answer: 'full' });
  const authorization = `Bearer ${apiKey}`;
  return {
    ...live,
    telephony,
    app,
    base,
    authorization,
    api: async (method, path, body) => {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, any> };
    },
  };
}

/** What a call has told, when it is over. */
export async function eventsOf(
  { base, authorization }: Pick<ServedHarness, 'base' | 'authorization'>,
  streamId: string,
): Promise<{ readonly name: string; readonly data: Record<string, any> }[]> {
  const response = await fetch(`${base}/v1/streams/${streamId}/events`, { headers: { authorization } });
  return [...(await response.text()).matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name = '', data = '']) => ({
    name,
    data: JSON.parse(data) as Record<string, any>,
  }));
}

/**
 * Fails unless a passive call's verdict, as a `full` key is told it, has the decision and the scores of the file of the same samples up to the same end.
 * @param samples all that was sent, decoded, at 8 kHz
 */
export async function sameAsFile(
  t: Test,
  { context, full }: Pick<LiveHarness, 'context' | 'full'>,
  verdict: Record<string, any> | undefined,
  samples: Float32Array,
): Promise<void> {
  const { voice, quality } = (verdict?.evidence ?? {}) as Record<string, any>;
  if (voice?.kind !== 'compared' || quality?.kind !== 'measured') return void t.fail('the call was not compared');
  const heard = samples.subarray(0, Math.round(quality.report.totalSeconds * 8000));
  const { verification } = await verify(context, full, {
    accountId: verdict?.accountId,
    challengeId: null,
    audio: { bytes: floatWav(heard), contentType: 'audio/wav', channel: null },
    pin: goodPin,
    tier: 'low',
    continues: null,
    identifiedByAgent: false,
    call: { callId: null, lineNumber: null, channel: null, agentId: null },
  });
  const { decision, evidence: file } = verification;
  if (file.voice.kind !== 'compared' || file.quality.kind !== 'measured')
    return void t.fail('the file was not compared');
  t.same([verdict?.decision, verdict?.reasons], [decision.kind, decision.reasons], 'the decision of the file');
  t.ok(Math.abs(file.voice.llr - voice.llr) < 1e-4, `LLR ${voice.llr}, of the file ${file.voice.llr}`);
  t.ok(Math.abs(file.voice.cosine - voice.cosine) < 1e-4, `cosine ${voice.cosine}, of the file ${file.voice.cosine}`);
  t.same(quality.report, file.quality.report, 'the quality of the file');
}

/** A WAV of 32-bit float samples at 8 kHz: nothing is rounded. */
function floatWav(samples: Float32Array): Buffer {
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, 8000, '32f', samples);
  return Buffer.from(wav.toBuffer());
}

const plainRequest: StreamRequest = {
  mode: 'passive',
  protocol: 'voicegate',
  accountId: null,
  enrolmentId: null,
  tier: 'low',
  language: 'zh',
  pin: null,
  continues: null,
  identifiedByAgent: false,
  call: { callId: null, lineNumber: null, channel: null, agentId: null },
  eventsUrl: null,
};

/** Doors look the key up: it has to be there. */
async function withKey(context: ServiceContext, caller: Caller, answer: AnswerKind): Promise<Caller> {
  const { keyId } = await createApiKey(context, caller, { label: answer, roles, answer });
  return { ...caller, apiKeyId: keyId };
}

/** An account with consent, PIN and the voiceprint of a fixture's caller. */
export async function enrolCaller({ context, full }: LiveHarness, accountId: string, voice: string): Promise<void> {
  await putAccount(context, full, accountId);
  await consented({ context, full }, accountId);
  await setPin(context, full, accountId, { newPin: goodPin, proof: noProof });
  const { enrolmentId } = await startEnrolment(context, full, accountId, {
    language: 'zh',
    proof: { ...noProof, pin: goodPin },
  });
  for (const name of ['enrol-1', 'enrol-2', 'enrol-3']) {
    const samples = await utterance(voice, name);
    const answer = await addUtterance(context, full, enrolmentId, { samples, sampleRateHz: 8000 });
    if (!answer.accepted) throw new Error(`${voice} ${name} was not accepted: ${answer.reasons.join(', ')}`);
  }
  await completeEnrolment(context, full, enrolmentId);
}

/** A stream once the store says that it has ended, which is written after its peer is told. */
export async function endedStream(
  { context, full }: Pick<LiveHarness, 'context' | 'full'>,
  streamId: string,
): Promise<StreamView> {
  await until(async () => (await getStream(context, full, streamId)).state === 'ended');
  return getStream(context, full, streamId);
}

/** Waits until so many calls are without their peers: the service sees later than a vanished peer that it is gone. */
export async function leftCalls({ telephony }: Pick<ServedHarness, 'telephony'>, count: number): Promise<void> {
  await until(() => telephony.calls.leftCount === count);
}

/** What a session put out, and a way to wait for a kind of it. */
export class Outputs {
  readonly all: SessionOutput[] = [];
  private readonly waiting: { readonly kind: string; readonly resolve: () => void }[] = [];

  readonly sink = (output: SessionOutput): void => {
    this.all.push(output);
    for (const one of this.waiting.splice(0)) {
      if (one.kind === output.kind) one.resolve();
      else this.waiting.push(one);
    }
  };

  async until(kind: SessionOutput['kind']): Promise<void> {
    if (this.all.some((output) => output.kind === kind)) return;
    await new Promise<void>((resolve) => this.waiting.push({ kind, resolve }));
  }

  of<K extends SessionOutput['kind']>(kind: K): Extract<SessionOutput, { kind: K }>[] {
    return this.all.filter((output): output is Extract<SessionOutput, { kind: K }> => output.kind === kind);
  }
}

/** Little-endian 16-bit samples. */
export function l16(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(2 * samples.length);
  samples.forEach((sample, n) =>
    bytes.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), 2 * n),
  );
  return bytes;
}
