import { randomUUID } from 'node:crypto';
import { pseudonym } from '../audit/pseudonym.js';
import type { Actor } from '../audit/entry.js';
import type { PinVault } from '../credential/pin-vault.js';
import { defaultPolicy } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import { keyedHash } from '../ops/secrets.js';
import type { Scorer } from '../scoring/score-voice.js';
import { lineNumberOf } from './line-number.js';
import type { Ears } from './listen.js';
import type { AccountRow, AnswerKind, QuietResult, PolicyRow, Role, Store, Tx } from './ports.js';

/** Who asks: made from the API key by the edge, or by the command line. */
export interface Caller {
  readonly tenantId: string;
  /** Null for the command line. */
  readonly apiKeyId: string | null;
  readonly roles: readonly Role[];
  readonly answer: AnswerKind;
}

/** What use cases without speech need: the command line has this much. */
export interface KeyContext {
  readonly store: Store;
  readonly now: () => Date;
}

/** All the use cases need. Passed in by compose. */
export interface ServiceContext extends KeyContext {
  readonly ears: Ears;
  /** For calls: these let tasks wait where `ears` refuse them with `busy`. */
  readonly liveEars: Ears;
  readonly pins: PinVault;
  /** How each loaded model's comparisons become likelihood ratios, by model id. */
  readonly scorers: ReadonlyMap<string, Scorer>;
  /** Policies read so far, by tenant and version: a version never changes once it is stored. */
  readonly policies: Map<string, PolicyRow>;
  /** Keys the hashes of lines, opt-outs and requests. */
  readonly hashKey: Uint8Array;
  /** Reports a stage's duration, seconds. */
  readonly onStage: (stage: string, seconds: number) => void;
  readonly onDecided: (decision: string, reasons: readonly string[], tier: string) => void;
  readonly onEnrolled: () => void;
  /** What became of an accepted call that might have given an utterance for the other model's print. */
  readonly onQuietUtterance: (result: QuietResult, fault?: unknown) => void;
}

/** A random id with a prefix that says what it names: `chl_…`, `ver_…`. */
export function newId(prefix: 'con' | 'enr' | 'utt' | 'vpr' | 'chl' | 'ver' | 'str' | 'dup'): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** The audit's actor for a caller. */
export function actorOf(caller: Caller, agentId: string | null = null): Actor {
  return { apiKeyId: caller.apiKeyId, agentId };
}

/** The name under which the audit knows an account. */
export function accountPseudonym(account: AccountRow): string {
  return pseudonym(account.pseudonymKey, account.accountId);
}

/** The scorer of a loaded model. */
export function scorerOf(context: ServiceContext, modelId: string): Scorer {
  const scorer = context.scorers.get(modelId);
  if (scorer === undefined) throw new Error(`model ${modelId} is not loaded`);
  return scorer;
}

/** The keyed hash by which an opt-out is remembered after its account is gone. */
export function optOutHash(context: ServiceContext, caller: Caller, accountId: string): Uint8Array {
  return keyedHash(context.hashKey, 'opt-out', caller.tenantId, accountId);
}

/** The keyed hash of a caller's line, the same however it is written (`lineNumberOf`); null when none was given or it is withheld. */
export function lineHash(context: ServiceContext, caller: Caller, given: string | null): Uint8Array | null {
  const lineNumber = lineNumberOf(given);
  return lineNumber === null ? null : keyedHash(context.hashKey, 'line', caller.tenantId, lineNumber);
}

/** The account, or the error a `full` key gets. */
export function known(account: AccountRow | null): AccountRow {
  if (account === null) {
    throw new VoicegateError('account_unknown', 'There is no such account', {
      hint: 'Create it with PUT /v1/accounts/{accountId}',
    });
  }
  return account;
}

/**
 * The tenant's active policy. A tenant's first use stores the default as version 1 and activates it, so that every judgement names a
 * version that can be looked up later.
 */
export async function activePolicy(tx: Tx, now: Date): Promise<PolicyRow> {
  const active = await tx.policies.active();
  if (active !== null) return active;
  const first = await tx.policies.insert(defaultPolicy, now, 'voicegate');
  await tx.policies.activate(first.version);
  return { ...first, active: true };
}

/** A version of the policy that was committed before, from memory if it was read before. */
export async function policyOf(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  version: number | null,
): Promise<PolicyRow> {
  const key = `${caller.tenantId} ${version}`;
  const remembered = context.policies.get(key);
  if (remembered !== undefined) return remembered;
  if (version === null) return activePolicy(tx, context.now());
  const policy = await tx.policies.get(version);
  if (policy === null) throw new VoicegateError('policy_unknown', `Policy version ${version} is gone`);
  context.policies.set(key, policy);
  return policy;
}
