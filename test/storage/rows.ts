import { randomBytes } from 'node:crypto';
import { defaultPolicy } from '../../src/decision/policy.js';
import type { Evidence } from '../../src/decision/evidence.js';
import type {
  AccountRow,
  AgentVoiceprintRow,
  ApiKeyRow,
  CandidateRow,
  ChallengeRow,
  ConsentRow,
  DuplicateRow,
  EnrolmentRow,
  Store,
  StreamRow,
  VerificationRow,
  VoiceprintRow,
} from '../../src/service/ports.js';

/** A moment with milliseconds, moved by seconds. */
export function moment(seconds = 0): Date {
  return new Date(Date.UTC(2026, 10, 22, 10, 0, 0, 123) + seconds * 1000);
}

let made = 0;

/** A text that occurs once in a test run. */
export function fresh(prefix: string): string {
  made += 1;
  return `${prefix}-${made}`;
}

/** Makes a tenant and answers its id. */
export async function newTenant(store: Store): Promise<string> {
  const tenantId = fresh('tenant');
  await store.createTenant({ tenantId, name: 'A telephone company', createdAt: moment() });
  return tenantId;
}

/** Components that are no short decimals, so that a lossy way to the database and back shows. */
export function vectorOf(seed: number, dimension = 192): Float32Array {
  return Float32Array.from({ length: dimension }, (_, i) => Math.sin(seed + i) / Math.sqrt(dimension) + 1e-38 * i);
}

export function accountRow(accountId: string, change: Partial<AccountRow> = {}): AccountRow {
  const pseudonymKey = Buffer.alloc(32, accountId.length);
  return { accountId, createdAt: moment(), pseudonymKey, pinHash: null, pinSetAt: null, ...change };
}

export function consentRow(accountId: string, change: Partial<ConsentRow> = {}): ConsentRow {
  return {
    consentId: fresh('consent'),
    accountId,
    purpose: 'authentication',
    textVersion: '2026-1',
    channel: 'ivr',
    evidenceReference: 'recording 17',
    agentId: null,
    givenAt: moment(),
    withdrawnAt: null,
    ...change,
  };
}

export function enrolmentRow(accountId: string, change: Partial<EnrolmentRow> = {}): EnrolmentRow {
  return {
    enrolmentId: fresh('enrolment'),
    accountId,
    state: 'open',
    modelId: 'model-a',
    policyVersion: 1,
    language: 'zh',
    prompts: ['0918 2736', '45"\\,{}'],
    proof: 'pin',
    agentId: 'agent-9',
    apiKeyId: 'key-1',
    replacesVoiceprint: false,
    createdAt: moment(),
    expiresAt: moment(600),
    completedAt: null,
    ...change,
  };
}

export function voiceprintRow(accountId: string, change: Partial<VoiceprintRow> = {}): VoiceprintRow {
  const createdAt = change.createdAt ?? moment();
  return {
    voiceprintId: fresh('voiceprint'),
    accountId,
    modelId: 'model-a',
    vector: vectorOf(1),
    utterances: [2, 3, 4].map((seed) => ({ vector: vectorOf(seed), netSpeechSeconds: 2.7 + seed / 10 })),
    netSpeechSeconds: 9.000000000000002,
    createdAt,
    enrolledAt: createdAt,
    derivedFromVoiceprintId: null,
    supersedesVoiceprintId: null,
    supersededAt: null,
    enrolmentId: null,
    ...change,
  };
}

export function agentVoiceprintRow(agentId: string, change: Partial<AgentVoiceprintRow> = {}): AgentVoiceprintRow {
  return {
    agentId,
    modelId: 'model-a',
    vector: vectorOf(5),
    netSpeechSeconds: 12.500000000000002,
    consentTextVersion: 'staff-1',
    consentReference: 'file 7',
    createdAt: moment(),
    ...change,
  };
}

/** A voice that enrolled for the first account and was found under the other. */
export function duplicateRow(
  accountId: string,
  otherAccountId: string,
  change: Partial<DuplicateRow> = {},
): DuplicateRow {
  return {
    findingId: fresh('finding'),
    accountId,
    otherAccountId,
    enrolmentId: 'enrolment-of-the-first',
    modelId: 'model-a',
    llr: 7.100000000000001,
    thresholdLlr: 5.5,
    printsSearched: 1000,
    outcome: 'flagged',
    createdAt: moment(),
    allowed: null,
    resolvedAt: null,
    ...change,
  };
}

/** An utterance gathered on the word of a print, for one by model-b. */
export function candidateRow(base: VoiceprintRow, change: Partial<CandidateRow> = {}): CandidateRow {
  return {
    verificationId: fresh('verification'),
    accountId: base.accountId,
    modelId: 'model-b',
    baseVoiceprintId: base.voiceprintId,
    embedding: vectorOf(11),
    netSpeechSeconds: 2.7000000000000001,
    createdAt: moment(3),
    ...change,
  };
}

export function challengeRow(accountId: string, change: Partial<ChallengeRow> = {}): ChallengeRow {
  return {
    challengeId: fresh('challenge'),
    accountId,
    digits: '09182736',
    purpose: 'verification',
    language: 'en',
    lineHash: Buffer.alloc(32, 5),
    createdAt: moment(),
    expiresAt: moment(120),
    usedAt: null,
    ...change,
  };
}

const evidence: Evidence = {
  account: 'enrolled',
  challenge: 'valid',
  quality: { kind: 'not_measured' },
  voice: {
    kind: 'compared',
    cosine: 0.1 + 0.2,
    normalised: 1.1,
    llr: -12.345678901234567,
    modelId: 'model-a',
    calibrationVersion: 'c1',
    voiceprintAgeSeconds: 1e21,
    voiceprintReplacedAnother: false,
  },
  phrase: { kind: 'not_performed' },
  pin: 'right',
  fused: 1.25,
  call: { continuesGiven: 0 },
  gate: 'open',
};

export function verificationRow(accountId: string | null, change: Partial<VerificationRow> = {}): VerificationRow {
  return {
    verificationId: fresh('verification'),
    accountId,
    pseudonym: 'ab'.repeat(32),
    apiKeyId: 'key-1',
    challengeId: 'challenge-x',
    continuesVerificationId: null,
    continuesGiven: 0,
    tier: 'standard',
    decision: { kind: 'STEP_UP', reasons: ['PHRASE_NOT_CHECKED', 'PIN_MISSING'] },
    evidence,
    policyVersion: 1,
    modelId: 'model-a',
    callId: 'call-1',
    lineHash: Buffer.alloc(32, 6),
    channel: 'ivr',
    agentId: null,
    createdAt: moment(),
    timingsMs: { decode: 1.25, network: 12.000000000000002 },
    outcome: null,
    ...change,
  };
}

export function apiKeyRow(tenantId: string, change: Partial<ApiKeyRow> = {}): ApiKeyRow {
  return {
    tenantId,
    keyId: fresh('key'),
    secretSha256: Buffer.alloc(32, 9),
    label: 'the IVR',
    roles: ['verifier', 'enroller'],
    answer: 'full',
    createdAt: moment(),
    revokedAt: null,
    ...change,
  };
}

/** A live call; whoever has its token has the call, so every row's is another. */
export function streamRow(accountId: string, change: Partial<StreamRow> = {}): StreamRow {
  return {
    streamId: fresh('stream'),
    apiKeyId: 'key-1',
    accountId,
    terms: {
      mode: 'passive',
      protocol: 'voicegate',
      tier: 'low',
      language: 'zh',
      challengeId: null,
      enrolmentId: null,
      continues: null,
      identifiedByAgent: false,
      callId: null,
      channel: null,
      agentId: null,
      eventsUrl: null,
    },
    lineHash: null,
    pin: null,
    pinMark: null,
    tokenSha256: randomBytes(32),
    state: 'live',
    outcome: null,
    createdAt: moment(),
    expiresAt: moment(60),
    startedAt: moment(),
    leaseUntil: moment(),
    endedAt: null,
    ...change,
  };
}

export const policyDocument = defaultPolicy;
