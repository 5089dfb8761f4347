import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { DigitEvidence } from '../../src/challenge/digit-recogniser.js';
import type { Language } from '../../src/challenge/languages.js';
import type { QualityReport } from '../../src/audio/waveform.js';
import { createPinVault } from '../../src/credential/pin-vault.js';
import type { Embedding } from '../../src/embedding/embedding.js';
import type { Calibration } from '../../src/scoring/calibration.js';
import type { Scorer } from '../../src/scoring/score-voice.js';
import { line } from '../scoring/calibrations.js';
import { unit } from '../../src/scoring/cosine.js';
import { putAccount } from '../../src/service/accounts.js';
import { createChallenge } from '../../src/service/challenges.js';
import { giveConsent } from '../../src/service/consents.js';
import type { Caller, ServiceContext } from '../../src/service/context.js';
import { completeEnrolment } from '../../src/service/complete-enrolment.js';
import { addUtterance, startEnrolment } from '../../src/service/enrolments.js';
import type { AudioInput, Ears, Listening } from '../../src/service/listen.js';
import { setPin } from '../../src/service/pins.js';
import { roles, type AnswerKind } from '../../src/service/ports.js';
import type { ProofRequest } from '../../src/service/proof.js';
import type { VerificationRequest } from '../../src/service/verification-request.js';
import type { VerificationAnswer } from '../../src/service/judge.js';
import { verify } from '../../src/service/verify.js';
import { evidenceOf, testRules } from '../challenge/posteriors.js';
import { openTestStore } from '../storage/open-test-store.js';

export const modelId = 'test-model';
/** The model that a change leads to; loaded where a test says so. */
export const nextModelId = 'next-model';

/** Says how the stand-in for the ears hears a recording: whose voice, how alike to that voice's mean, how good. */
export interface Recording {
  readonly voice: number;
  /** 0: the voice's own direction; larger: further from it. */
  readonly blur?: number;
  readonly netSpeechSeconds?: number;
  readonly snrDb?: number;
  /** Digits said; by default nobody can tell (no recogniser knows the language). */
  readonly says?: string | undefined;
}

/** A recording as audio bytes for the ears below. */
export function recording(what: Recording): AudioInput {
  return { bytes: Buffer.from(JSON.stringify(what)), contentType: 'test/recording', channel: null };
}

/** Ears that read what they should hear. What they were asked to listen to is kept for assertions. */
export interface TestEars extends Ears {
  /** What a network was given, in the order of the runs. */
  readonly heardFrom: { readonly modelId: string; readonly listening: Listening }[];
  modelIds: [string, ...string[]];
  /** What the recogniser's card says of every language. */
  languageStatus: 'supported' | 'experimental';
  /** Whom the recogniser heard, in the order of the runs. */
  readonly digitsFrom: Listening[];
  digitsOf(what: Recording, hears: Listening, language: Language): DigitEvidence | null;
}

/** Each model has directions of its own: what one says of a voice means nothing to another. */
const directionOf = (voice: number, byModel: string): number => (byModel === modelId ? voice : voice + 7);

const dimension = 16;

function createTestEars(): TestEars {
  const heardFrom: TestEars['heardFrom'] = [];
  return {
    heardFrom,
    modelIds: [modelId],
    languageStatus: 'experimental',
    digitsFrom: [],
    sampleRateHz: 8000,
    listen: () => noLiveEars(),
    embedWindow: () => noLiveEars(),
    compareHalves: () => noLiveEars(),
    embedPieces: async () => [],
    async decode(audio) {
      return { samples: Float32Array.from(audio.bytes), sampleRateHz: 8000 };
    },
    async hear(this: TestEars, waveform, { hears, modelId: asked = this.modelIds[0], otherHears, digitsIn }) {
      heardFrom.push({ modelId: asked, listening: hears });
      const other = this.modelIds.find((id) => id !== asked);
      if (other !== undefined && otherHears !== undefined) heardFrom.push({ modelId: other, listening: otherHears });
      const what = said(waveform.samples);
      const netSpeechSeconds = what.netSpeechSeconds ?? 3;
      const report: QualityReport = {
        totalSeconds: netSpeechSeconds + 1,
        netSpeechSeconds,
        snrDb: what.snrDb ?? 25,
        clippingShare: 0,
        speechLevelDbfs: -20,
        bandwidthHz: 3400,
      };
      const enough = netSpeechSeconds >= 0.3;
      return {
        report,
        embedding: enough ? embeddingOf(what, asked) : null,
        otherEmbedding: enough && other !== undefined && otherHears === 'caller' ? embeddingOf(what, other) : null,
        minWindowCosine: null,
        digits: enough && digitsIn !== undefined ? this.digitsOf(what, hears, digitsIn) : null,
        windows: [{ samples: waveform.samples, spans: [], netSpeechSeconds }],
      };
    },
    digitsOf({ says }, hears, language) {
      this.digitsFrom.push(hears);
      if (says === undefined) return null;
      const rules = { ...testRules, status: this.languageStatus };
      return evidenceOf(hears === 'caller' ? says : '', { rules, language });
    },
    async embed({ windows }, asked) {
      heardFrom.push({ modelId: asked, listening: 'caller' });
      return embeddingOf(said(windows[0]?.samples ?? new Float32Array(0)), asked);
    },
  };
}

/** Calls are tested with the real ears. */
function noLiveEars(): never {
  throw new Error('these ears hear recordings only');
}

const said = (samples: Float32Array): Recording =>
  JSON.parse(Buffer.from(Uint8Array.from(samples)).toString()) as Recording;

function embeddingOf(what: Recording, byModel: string): Embedding {
  const vector = new Float32Array(dimension);
  const direction = directionOf(what.voice, byModel);
  vector[direction % dimension] = 1;
  vector[(direction + 1) % dimension] = what.blur ?? 0;
  return { vector: unit(vector), modelId: byModel, netSpeechSeconds: what.netSpeechSeconds ?? 3 };
}

/** A service on a real store with a clock that the test moves. */
export interface Harness {
  readonly context: ServiceContext;
  readonly ears: TestEars;
  readonly full: Caller;
  readonly opaque: Caller;
  /** Moves the clock. */
  wait(seconds: number): void;
}

export const goodPin = '730529';
export const otherPin = '918264';
export const noProof: ProofRequest = { pin: null, verificationId: null, agentId: null, overrideReason: null };

/** A cosine of 0.5 says nothing; each 0.05 more or less one nat. */
export function scorerFor(ofModel: string): Scorer {
  const calibration: Calibration = {
    version: `${ofModel}.1`,
    modelId: ofModel,
    modelSha256: '0'.repeat(64),
    normalisation: { kind: 'none' },
    voice: { scale: 20, offset: -10, measures: [] },
    fusion: { ...line, recogniserId: 'none', crossValidation: { cllr: 0.1 } },
    nontarget: { meanLlr: -10, sdLlr: 2 },
    fittedOn: [],
    crossValidation: { folds: 2, cllr: 0.1, minCllr: 0.1, eer: 0.01 },
    date: '2026-11-22',
    command: 'none',
    notes: [],
  };
  return { calibration, cohort: null };
}

/** Opens a harness; it closes with the test. */
export async function openHarness(t: Test): Promise<Harness> {
  const store = await openTestStore(t);
  await store.createTenant({ tenantId: 'operator', name: 'Operator', createdAt: new Date() });
  const ears = createTestEars();
  let aheadMs = 0;
  const context: ServiceContext = {
    store,
    ears,
    liveEars: ears,
    pins: await createPinVault({ pepper: randomBytes(32), concurrency: 2, queueLimit: 1000 }),
    scorers: new Map([modelId, nextModelId].map((id) => [id, scorerFor(id)])),
    policies: new Map(),
    hashKey: randomBytes(32),
    now: () => new Date(Date.now() + aheadMs),
    onStage: () => undefined,
    onDecided: () => undefined,
    onEnrolled: () => undefined,
    onQuietUtterance: () => undefined,
  };
  const caller = (answer: AnswerKind): Caller => ({ tenantId: 'operator', apiKeyId: `key-${answer}`, roles, answer });
  return {
    context,
    ears,
    full: caller('full'),
    opaque: caller('opaque'),
    wait: (seconds) => {
      aheadMs += seconds * 1000;
    },
  };
}

/** An account with consent, PIN and a voiceprint of the given voice. */
export async function enrolled(harness: Harness, accountId: string, voice: number): Promise<void> {
  const { context, full } = harness;
  await putAccount(context, full, accountId);
  await consented(harness, accountId);
  await setPin(context, full, accountId, { newPin: goodPin, proof: noProof });
  await enrolVoice(harness, accountId, voice, { ...noProof, pin: goodPin });
}

/** Records a consent. */
export async function consented(
  { context, full }: Pick<Harness, 'context' | 'full'>,
  accountId: string,
): Promise<void> {
  await giveConsent(context, full, accountId, {
    purpose: 'authentication',
    textVersion: '1',
    channel: 'ivr',
    evidenceReference: null,
    agentId: null,
  });
}

/** Enrols a voice with three good utterances; answers the voiceprint's id. */
export async function enrolVoice(
  { context, full }: Harness,
  accountId: string,
  voice: number,
  proof: ProofRequest,
): Promise<string> {
  const { enrolmentId } = await startEnrolment(context, full, accountId, { language: 'zh', proof });
  for (const blur of [0, 0.1, 0.2]) await addUtterance(context, full, enrolmentId, recording({ voice, blur }));
  return (await completeEnrolment(context, full, enrolmentId)).voiceprintId;
}

/** Asks for a challenge and answers it at once, with its digits unless the recording says others. */
export async function attempt(
  harness: Harness,
  accountId: string,
  what: Recording,
  changes: Partial<VerificationRequest> = {},
  caller: Caller = harness.full,
): Promise<VerificationAnswer> {
  const { challengeId, digits } = await createChallenge(harness.context, caller, accountId, {
    language: 'zh',
    lineNumber: null,
  });
  return verify(harness.context, caller, request(accountId, challengeId, { says: digits, ...what }, changes));
}

/** A verification request with the right PIN at the low tier, unless changed. */
export function request(
  accountId: string,
  challengeId: string,
  what: Recording,
  changes: Partial<VerificationRequest> = {},
): VerificationRequest {
  return {
    accountId,
    challengeId,
    audio: recording(what),
    pin: goodPin,
    tier: 'low',
    continues: null,
    identifiedByAgent: false,
    call: { callId: null, lineNumber: null, channel: 'ivr', agentId: null },
    ...changes,
  };
}
