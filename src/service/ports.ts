import type { AuditEntry, AuditEvent, AuditHead } from '../audit/entry.js';
import type { AttemptState } from '../decision/attempt-state.js';
import type { Evidence } from '../decision/evidence.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Decision, DecisionKind, Reason, Tier } from '../decision/reasons.js';

/**
 * The ports that storage implements. A `Tx` belongs to one tenant: no method takes a tenant id, so no query can forget it.
 * Lock order inside a transaction: account → attempts → challenge → verification → velocity → audit head (append comes last).
 */
export interface Store {
  /**
   * Runs `work` in one transaction for a tenant; commits when it resolves, rolls back when it throws.
   * Serialisation failures and deadlocks are retried a few times, so `work` has no side effects outside the database.
   * @throws VoicegateError `database_unavailable` when the database cannot be reached
   */
  transaction<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Finds a key by its public id, over all tenants: this is where the tenant is learned. */
  findApiKey(keyId: string): Promise<ApiKeyRow | null>;
  /** Finds a signed-in page by the hash of its token, over all tenants, with the key that it signed in with as it is now. */
  findSession(tokenSha256: Uint8Array): Promise<{ readonly session: SessionRow; readonly key: ApiKeyRow } | null>;
  /** Finds a stream by the hash of its token, over all tenants: a door has nothing else to show. */
  findStream(tokenSha256: Uint8Array): Promise<{ readonly tenantId: string; readonly row: StreamRow } | null>;
  /** Tenants by id. */
  listTenants(): Promise<readonly TenantRow[]>;
  createTenant(tenant: TenantRow): Promise<void>;
  /** Resolves when the database answers and its schema is the one this build knows. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Tx {
  /**
   * All that a verification asks about an account, at once.
   * @param accountHash the keyed hash under which an opt-out would be kept
   */
  standing(accountId: string, accountHash: Uint8Array): Promise<Standing>;
  readonly accounts: AccountTable;
  readonly consents: ConsentTable;
  readonly enrolments: EnrolmentTable;
  readonly voiceprints: VoiceprintTable;
  readonly agents: AgentTable;
  readonly duplicates: DuplicateTable;
  readonly modelChange: ModelChangeTable;
  readonly challenges: ChallengeTable;
  readonly attempts: AttemptTable;
  readonly velocity: VelocityTable;
  readonly verifications: VerificationTable;
  readonly policies: PolicyTable;
  readonly apiKeys: ApiKeyTable;
  readonly sessions: SessionTable;
  readonly idempotency: IdempotencyTable;
  readonly streams: StreamTable;
  readonly audit: AuditTable;
}

export interface TenantRow {
  readonly tenantId: string;
  readonly name: string;
  readonly createdAt: Date;
}

export const roles = ['verifier', 'enroller', 'analyst', 'admin'] as const;
export type Role = (typeof roles)[number];

/** `full`: decision with reasons and evidence of its own calls. `opaque`: decision only. */
export type AnswerKind = 'full' | 'opaque';

export interface ApiKeyRow {
  readonly tenantId: string;
  /** Public part of the key, printable. */
  readonly keyId: string;
  /** SHA-256 of the secret part, 32 bytes (the secret is 256 random bits, so no slow hash is needed). */
  readonly secretSha256: Uint8Array;
  readonly label: string;
  readonly roles: readonly Role[];
  readonly answer: AnswerKind;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

export interface AccountRow {
  readonly accountId: string;
  readonly createdAt: Date;
  /** 32 random bytes; the audit's pseudonym is an HMAC under it. Erased with the row. */
  readonly pseudonymKey: Uint8Array;
  /** PHC string of argon2id, or null. */
  readonly pinHash: string | null;
  readonly pinSetAt: Date | null;
}

/** An account and what belongs to it, for an id that may or may not be an account. */
export interface Standing {
  readonly account: AccountRow | null;
  readonly optedOut: boolean;
  readonly consented: boolean;
  /** At most one by each model. */
  readonly prints: readonly ActivePrint[];
  readonly attempts: AttemptState;
  /** The tenant's active policy; null before its first. */
  readonly policyVersion: number | null;
}

/** The print that a voice is compared with. */
export type ActivePrint = Pick<
  VoiceprintRow,
  'voiceprintId' | 'modelId' | 'vector' | 'netSpeechSeconds' | 'enrolledAt' | 'supersedesVoiceprintId'
>;

export interface AccountTable {
  /** The row, or null. */
  get(accountId: string): Promise<AccountRow | null>;
  /** The same, held with FOR UPDATE until the transaction ends. */
  lock(accountId: string): Promise<AccountRow | null>;
  /** Inserts unless present; answers the row that is there afterwards and whether it is new. */
  insertIfAbsent(row: AccountRow): Promise<{ row: AccountRow; created: boolean }>;
  setPin(accountId: string, pinHash: string, setAt: Date): Promise<void>;
  /**
   * Erases the account with its voiceprints, enrolments and their utterances, consents, challenges, attempts and velocity rows;
   * verifications stay with the account id and the call's ids removed (they keep the pseudonym). Not the opt-out mark.
   */
  erase(accountId: string): Promise<void>;
  /** Opt-outs are kept by a keyed hash (32 bytes) of the account id, so that they outlive the account without naming it. */
  isOptedOut(accountHash: Uint8Array): Promise<boolean>;
  setOptOut(accountHash: Uint8Array, optedOut: boolean, at: Date): Promise<void>;
}

export interface ConsentRow {
  readonly consentId: string;
  readonly accountId: string;
  readonly purpose: string;
  readonly textVersion: string;
  readonly channel: string;
  readonly evidenceReference: string | null;
  readonly agentId: string | null;
  readonly givenAt: Date;
  readonly withdrawnAt: Date | null;
}

export interface ConsentTable {
  /** The latest consent that was not withdrawn, or null. */
  current(accountId: string): Promise<ConsentRow | null>;
  /** Inserts; an earlier current consent stays as history (the newest counts). */
  insert(row: ConsentRow): Promise<void>;
  /** Marks every current consent of the account as withdrawn; answers how many. */
  withdraw(accountId: string, at: Date): Promise<number>;
}

export type EnrolmentState = 'open' | 'completed' | 'cancelled' | 'superseded' | 'undone';

export interface EnrolmentRow {
  readonly enrolmentId: string;
  readonly accountId: string;
  readonly state: EnrolmentState;
  readonly modelId: string;
  readonly policyVersion: number;
  readonly language: 'zh' | 'en';
  /** Digit strings to be spoken. */
  readonly prompts: readonly string[];
  /** What opened the door: see service/proof.ts. */
  readonly proof: 'pin' | 'agent' | 'verification' | 'override';
  readonly agentId: string | null;
  /** The key that began it; null for the command line, and in rows of before. */
  readonly apiKeyId: string | null;
  readonly replacesVoiceprint: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly completedAt: Date | null;
}

export interface EnrolmentUtteranceRow {
  readonly utteranceId: string;
  readonly enrolmentId: string;
  readonly modelId: string;
  /** Unit length, by that model. */
  readonly embedding: Float32Array;
  readonly netSpeechSeconds: number;
  readonly createdAt: Date;
}

export interface EnrolmentTable {
  get(enrolmentId: string): Promise<EnrolmentRow | null>;
  /** Held with FOR UPDATE. */
  lock(enrolmentId: string): Promise<EnrolmentRow | null>;
  insert(row: EnrolmentRow): Promise<void>;
  /** Moves every open enrolment of the account to `superseded`, erasing its utterances. */
  supersedeOpen(accountId: string): Promise<void>;
  /** Any state but `open` erases the utterances' embeddings; `completed` marks the time. */
  setState(enrolmentId: string, state: EnrolmentState, at: Date): Promise<void>;
  /** One row for each model that heard the utterance, under one utterance id. */
  addUtterance(row: EnrolmentUtteranceRow): Promise<void>;
  /** As this model heard them, in the order of their making. */
  utterances(enrolmentId: string, modelId: string): Promise<readonly EnrolmentUtteranceRow[]>;
}

export interface VoiceprintRow {
  readonly voiceprintId: string;
  readonly accountId: string;
  readonly modelId: string;
  /** Weighted mean of the utterances' embeddings, unit length. */
  readonly vector: Float32Array;
  /** One unit-length embedding per utterance with its net speech seconds. */
  readonly utterances: readonly { readonly vector: Float32Array; readonly netSpeechSeconds: number }[];
  readonly netSpeechSeconds: number;
  readonly createdAt: Date;
  /** When the owner enrolled the voice: `createdAt`, or for a derived print that of the print it was derived from. */
  readonly enrolledAt: Date;
  /** Null: made by an enrolment. Else the print on whose word this one was made quietly. */
  readonly derivedFromVoiceprintId: string | null;
  /** The print this one took the place of. */
  readonly supersedesVoiceprintId: string | null;
  readonly supersededAt: Date | null;
  /** What made it; null: made quietly, or before this was kept. */
  readonly enrolmentId: string | null;
}

export interface VoiceprintTable {
  /** The prints that are not superseded, at most one by each model, in the order of their making. */
  active(accountId: string): Promise<readonly VoiceprintRow[]>;
  /** Marks every active print of the account as superseded at `at` by this enrolment, erases its candidates, and inserts the rows. */
  replace(accountId: string, enrolmentId: string, rows: readonly VoiceprintRow[], at: Date): Promise<void>;
  /**
   * Erases what an enrolment made, prints derived from it too, and makes active again what it superseded. Answers how many went and which came back;
   * null, and nothing is done, when a later enrolment has superseded its prints or they are gone.
   */
  undo(
    accountId: string,
    enrolmentId: string,
  ): Promise<{ readonly erased: number; readonly restored: readonly string[] } | null>;
  /**
   * Active prints by a model of all other accounts, those most like a vector first (largest cosine; exact, every print is looked at).
   * @returns at most `limit`, and how many there are
   */
  nearest(
    modelId: string,
    vector: Float32Array,
    exceptAccountId: string,
    limit: number,
  ): Promise<{ readonly prints: readonly (ActivePrint & { readonly accountId: string })[]; readonly searched: number }>;
  /** Inserts a print beside those of other models. */
  add(row: VoiceprintRow): Promise<void>;
  /** Erases all prints and candidates of the account, open enrolments' utterances too; answers how many prints went. */
  eraseAll(accountId: string): Promise<number>;
}

/** The voice of an enrolment, found among the prints of another account. */
export interface DuplicateRow {
  readonly findingId: string;
  /** Who enrolled. */
  readonly accountId: string;
  /** Whose active print the voice is like. */
  readonly otherAccountId: string;
  readonly enrolmentId: string;
  readonly modelId: string;
  /** Of the new print against the other's, and what it had to reach among so many prints. */
  readonly llr: number;
  readonly thresholdLlr: number;
  readonly printsSearched: number;
  /** `flagged`: the new print was made all the same. */
  readonly outcome: 'flagged' | 'refused';
  readonly createdAt: Date;
  /** Whether both accounts may hold this voice; null: nobody has looked yet. */
  readonly allowed: boolean | null;
  readonly resolvedAt: Date | null;
}

export interface DuplicateTable {
  insert(row: DuplicateRow): Promise<void>;
  /** Newest first. @param before a finding's id: only those before it */
  list(what: {
    readonly onlyOpen: boolean;
    readonly before: string | null;
    readonly limit: number;
  }): Promise<readonly DuplicateRow[]>;
  /** Answers the row as it is then, or null when there is none. */
  resolve(findingId: string, allowed: boolean, at: Date): Promise<DuplicateRow | null>;
  /** Accounts that may hold the same voice as this one. */
  allowedWith(accountId: string): Promise<readonly string[]>;
}

/** The voice of an agent, to be kept out of customers' prints. Not an account: nobody is let in by it. */
export interface AgentVoiceprintRow {
  /** The operator's own id of the agent. */
  readonly agentId: string;
  readonly modelId: string;
  /** Unit length. */
  readonly vector: Float32Array;
  readonly netSpeechSeconds: number;
  /** Version of the text that the agent agreed to. */
  readonly consentTextVersion: string;
  /** Where the operator keeps the proof of it. */
  readonly consentReference: string | null;
  readonly createdAt: Date;
}

export interface AgentTable {
  /** The agent's prints, one by each model, ordered by model id. */
  voiceprints(agentId: string): Promise<readonly AgentVoiceprintRow[]>;
  /** The one by this model, or null. */
  voiceprint(agentId: string, modelId: string): Promise<AgentVoiceprintRow | null>;
  /** Puts these in the place of all the agent's prints; answers how many went. */
  replace(agentId: string, rows: readonly AgentVoiceprintRow[]): Promise<number>;
}

/** An utterance of an accepted call, kept until there are enough of them for a print by `modelId`. */
export interface CandidateRow {
  /** The call that gave it. */
  readonly verificationId: string;
  readonly accountId: string;
  readonly modelId: string;
  /** The print that judged the call. */
  readonly baseVoiceprintId: string;
  /** Unit length, by `modelId`. */
  readonly embedding: Float32Array;
  readonly netSpeechSeconds: number;
  readonly createdAt: Date;
}

/** Active voiceprints of a model. */
export interface ModelPrints {
  readonly modelId: string;
  readonly voiceprints: number;
  /** Of these, made quietly from accepted calls. */
  readonly derived: number;
}

/** Where a tenant stands on the way to a model. Counts are accounts unless they say otherwise. */
export interface ChangeCounts {
  /** With a print by the model and by another. */
  readonly both: number;
  /** With a print by the model alone. */
  readonly moved: number;
  /** With prints by other models only. */
  readonly waiting: number;
  /** Of the waiting, with utterances gathered. */
  readonly gathering: number;
  readonly utterancesGathered: number;
  /** Of the waiting, with a call since `since` that would give an utterance. */
  readonly calling: number;
  /** Such calls by the waiting. */
  readonly calls: number;
  /** Median over the calling: utterances still missing for each such call of theirs; null when none is calling. */
  readonly medianMissingPerCall: number | null;
  /** Of the tenant's first verification since `since`; null when there is none. */
  readonly firstCallAt: Date | null;
}

/**
 * What became of a call that might give an utterance for a quiet print. `gathered`: kept until there are enough. `made`: the new print
 * stands. `dropped`: the gathered do not all sound like one voice to the new model, and the odd one went. `nothing`: by the time of writing
 * it was not wanted any more. `failed`: see the log.
 */
export type QuietResult = 'gathered' | 'made' | 'dropped' | 'nothing' | 'failed';

export interface ModelChangeTable {
  /** What was gathered of an account for a print by this model, in the order of the calls. */
  candidates(accountId: string, modelId: string): Promise<readonly CandidateRow[]>;
  addCandidate(row: CandidateRow): Promise<void>;
  /** Erases the candidate that the call gave for this model. */
  dropCandidate(verificationId: string, modelId: string): Promise<void>;
  /** Erases all of an account for this model. */
  dropCandidates(accountId: string, modelId: string): Promise<void>;
  /** Active voiceprints by model, ordered by model id. */
  prints(): Promise<readonly ModelPrints[]>;
  /**
   * @param utterances that a print needs
   * @param minVoiceLlr that a call needs
   */
  counts(modelId: string, utterances: number, minVoiceLlr: number, since: Date): Promise<ChangeCounts>;
  /** Accounts that `undo` has something to do for, ordered, at most `limit`. */
  undoable(modelId: string, limit: number): Promise<readonly string[]>;
  /**
   * Erases the account's candidates for this model, and its derived print by it where a print by another model stands.
   * Answers how many of each went.
   */
  undo(modelId: string, accountId: string): Promise<{ readonly voiceprints: number; readonly candidates: number }>;
  /** Accounts that `finish` has something to do for, ordered, at most `limit`. */
  finishable(modelId: string, limit: number): Promise<readonly string[]>;
  /** Erases the account's prints by other models, superseded ones too, where one by this model stands; answers how many went. */
  finish(modelId: string, accountId: string): Promise<number>;
}

export interface ChallengeRow {
  readonly challengeId: string;
  /** The operator's id as asked, whether or not such an account exists. */
  readonly accountId: string;
  readonly digits: string;
  readonly purpose: 'verification';
  readonly language: 'zh' | 'en';
  /** Keyed hash of the caller's line, or null. */
  readonly lineHash: Uint8Array | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

export interface ChallengeTable {
  get(challengeId: string): Promise<ChallengeRow | null>;
  insert(row: ChallengeRow): Promise<void>;
  /**
   * Marks the challenge used if it is not used yet; answers whether this call was the one that did.
   * Exactly one of any number of simultaneous callers gets true.
   */
  claim(challengeId: string, at: Date): Promise<boolean>;
  /** The digits of the account's latest prompts (challenges), newest first. */
  recentDigits(accountId: string, count: number): Promise<readonly string[]>;
  /** Lets the oldest open challenges of the account expire at `now` so that at most `keep` stay open. */
  expireOldest(accountId: string, keep: number, now: Date): Promise<void>;
  /** Removes challenges that expired before `before`; answers how many. Keeps the newest 5 per account. */
  purge(before: Date): Promise<number>;
}

export interface AttemptTable {
  /** Creates the row if absent and holds it with FOR UPDATE: guesses on one account, existing or not, queue here. */
  lock(accountId: string): Promise<AttemptState>;
  get(accountId: string): Promise<AttemptState>;
  save(accountId: string, state: AttemptState): Promise<void>;
  /** Removes rows of ids that are no account and were not touched since `before`; answers how many. */
  purgeUnknown(before: Date): Promise<number>;
}

export interface VelocityCounts {
  /** Different accounts with a counted failure since the given time. */
  readonly distinctAccounts: number;
  readonly failures: number;
}

export interface VelocityTable {
  /** `subject` is `line:<hex of the line's keyed hash>` or `key:<api key id>`. Held so that simultaneous callers are counted one after another. */
  lock(subject: string): Promise<void>;
  counts(subject: string, since: Date): Promise<VelocityCounts>;
  record(subject: string, accountId: string, at: Date): Promise<void>;
  purge(before: Date): Promise<number>;
}

export interface VerificationRow {
  readonly verificationId: string;
  /** Null after the account's erasure. */
  readonly accountId: string | null;
  /** Null when there was no such account. */
  readonly pseudonym: string | null;
  readonly apiKeyId: string;
  readonly challengeId: string | null;
  readonly continuesVerificationId: string | null;
  readonly continuesGiven: number;
  readonly tier: Tier;
  readonly decision: Decision;
  readonly evidence: Evidence;
  readonly policyVersion: number;
  readonly modelId: string;
  readonly callId: string | null;
  readonly lineHash: Uint8Array | null;
  readonly channel: string | null;
  readonly agentId: string | null;
  readonly createdAt: Date;
  readonly timingsMs: Readonly<Record<string, number>>;
  readonly outcome: VerificationOutcome | null;
}

export interface VerificationOutcome {
  /** The factor that ended a STEP_UP, and whether it was passed. */
  readonly factor: string | null;
  readonly passed: boolean | null;
  /** What the call turned out to be. */
  readonly label: 'genuine' | 'fraud' | null;
  readonly recordedAt: Date;
}

export interface VerificationTable {
  get(verificationId: string): Promise<VerificationRow | null>;
  lock(verificationId: string): Promise<VerificationRow | null>;
  insert(row: VerificationRow): Promise<void>;
  setOutcome(verificationId: string, outcome: VerificationOutcome): Promise<void>;
  /** CONTINUE answers given to this account under this call id. */
  continuesInCall(accountId: string, callId: string): Promise<number>;
  /** True when another verification already continues this one. */
  isContinued(verificationId: string): Promise<boolean>;
}

export interface PolicyRow {
  readonly version: number;
  readonly document: PolicyDocument;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly active: boolean;
}

export interface PolicyTable {
  /** The active policy, or null before the tenant's first. */
  active(): Promise<PolicyRow | null>;
  get(version: number): Promise<PolicyRow | null>;
  list(): Promise<readonly PolicyRow[]>;
  /** Stores as the next version (1, 2, …), not active. */
  insert(document: PolicyDocument, createdAt: Date, createdBy: string): Promise<PolicyRow>;
  activate(version: number): Promise<void>;
}

export interface ApiKeyTable {
  list(): Promise<readonly ApiKeyRow[]>;
  insert(row: ApiKeyRow): Promise<void>;
  /** Answers false when there is no such key or it was revoked before. */
  revoke(keyId: string, at: Date): Promise<boolean>;
}

/** A page that signed in with a key. */
export interface SessionRow {
  /** SHA-256 of the token in its cookie, 32 bytes. */
  readonly tokenSha256: Uint8Array;
  readonly keyId: string;
  readonly createdAt: Date;
  /** When it last asked for something, to the minute. */
  readonly seenAt: Date;
}

export interface SessionTable {
  insert(row: SessionRow): Promise<void>;
  seen(tokenSha256: Uint8Array, at: Date): Promise<void>;
  /** Answers false when it was gone. */
  remove(tokenSha256: Uint8Array): Promise<boolean>;
  /** Removes those not seen since then. Answers how many. */
  purge(seenBefore: Date): Promise<number>;
}

export interface IdempotencyRow {
  readonly apiKeyId: string;
  readonly idempotencyKey: string;
  readonly requestSha256: Uint8Array;
  /** Null while the first request is still being worked on. */
  readonly response: { readonly status: number; readonly body: unknown } | null;
  readonly createdAt: Date;
}

export interface IdempotencyTable {
  /** Inserts the row with no response unless one is there; answers the row found, or null when this call inserted it. */
  begin(row: IdempotencyRow): Promise<IdempotencyRow | null>;
  finish(apiKeyId: string, idempotencyKey: string, response: { status: number; body: unknown }): Promise<void>;
  /** Forgets an unfinished row (the work failed), so that a retry can be made. */
  forget(apiKeyId: string, idempotencyKey: string): Promise<void>;
  purge(before: Date): Promise<number>;
}

export const streamModes = ['active', 'passive', 'enrolment'] as const;
export type StreamMode = (typeof streamModes)[number];

/** The protocols that doors speak. */
export const streamProtocols = [
  'voicegate',
  'twilio',
  'telnyx',
  'freeswitch',
  'jambonz',
  'audiosocket',
  'audiohook',
] as const;
export type StreamProtocol = (typeof streamProtocols)[number];

/** What a call was registered for. Plain data, stored; holds no PIN, no digits and no line number. */
export interface StreamTerms {
  readonly mode: StreamMode;
  readonly protocol: StreamProtocol;
  readonly tier: Tier;
  readonly language: 'zh' | 'en';
  /** What the caller is to answer, in active mode. */
  readonly challengeId: string | null;
  readonly enrolmentId: string | null;
  readonly continues: string | null;
  readonly identifiedByAgent: boolean;
  readonly callId: string | null;
  readonly channel: string | null;
  readonly agentId: string | null;
  /** Where events are sent as webhooks. */
  readonly eventsUrl: string | null;
}

/** How a call ended. */
export type StreamOutcome =
  | {
      readonly kind: 'verdict';
      readonly decision: DecisionKind;
      readonly reasons: readonly Reason[];
      readonly verificationId: string;
    }
  | { readonly kind: 'enrolled'; readonly voiceprintId: string }
  /** No verdict was made: INCONCLUSIVE to whoever waits for one. */
  | {
      readonly kind: 'none';
      readonly decision: 'INCONCLUSIVE';
      readonly reasons: readonly Reason[];
      readonly cause: string;
    };

export interface StreamRow {
  readonly streamId: string;
  readonly apiKeyId: string;
  /** The operator's id as asked, whether or not such an account exists. */
  readonly accountId: string;
  readonly terms: StreamTerms;
  readonly lineHash: Uint8Array | null;
  /** What the PIN given at registration was found to be; null: none was given. */
  readonly pin: 'right' | 'wrong' | 'not_set' | 'not_checked' | null;
  /** Keyed hash of the stored PIN hash that it was checked against; null where the account had none. */
  readonly pinMark: Uint8Array | null;
  readonly tokenSha256: Uint8Array;
  readonly state: 'registered' | 'live' | 'ended';
  readonly outcome: StreamOutcome | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly startedAt: Date | null;
  readonly leaseUntil: Date | null;
  readonly endedAt: Date | null;
}

export interface StreamTable {
  get(streamId: string): Promise<StreamRow | null>;
  insert(row: StreamRow): Promise<void>;
  /** Registered streams of a protocol that have not expired, by the operator's own ids of their calls. */
  registeredFor(protocol: StreamProtocol, callIds: readonly string[], at: Date): Promise<readonly StreamRow[]>;
  /** Takes a registered stream that has not expired; exactly one of any number of simultaneous callers gets true. */
  start(streamId: string, at: Date, leaseUntil: Date): Promise<boolean>;
  /** Says that the node which has these streams lives. */
  renew(streamIds: readonly string[], leaseUntil: Date): Promise<void>;
  /** Ends a stream that has not ended; answers whether this call did. */
  end(streamId: string, outcome: StreamOutcome, at: Date): Promise<boolean>;
  /** Ends the live streams whose node has not been heard of until `now`; answers them as they are then. */
  interrupt(outcome: StreamOutcome, now: Date): Promise<readonly StreamRow[]>;
  /** Removes streams made before `before`, whatever became of them; answers how many. */
  purge(before: Date): Promise<number>;
}

export interface AuditTable {
  /** Seals the event to the tenant's chain. Takes the tenant's head lock: call it last in a transaction. */
  append(event: AuditEvent, at: Date): Promise<AuditEntry>;
  /** Entries with seq > afterSeq in ascending order, at most `limit`. */
  page(afterSeq: number, limit: number): Promise<readonly AuditEntry[]>;
  head(): Promise<AuditHead | null>;
}
