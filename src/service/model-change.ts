import { VoicegateError } from '../errors.js';
import { accountPseudonym, activePolicy, actorOf, type Caller, type KeyContext } from './context.js';
import type { AuditEvent } from '../audit/entry.js';
import type { ChangeCounts, ModelPrints, Tx } from './ports.js';

/** How far a tenant is on the way to a model. */
export interface ChangeProgress extends ChangeCounts {
  readonly modelId: string;
  /** The active policy lets accepted calls make prints by it. */
  readonly quietPrints: boolean;
  /** Days of calls that the forecast looks at. */
  readonly observedDays: number;
  /** Until half of the calling have a print by the model, if they go on as they did; null when none is calling. */
  readonly medianDays: number | null;
}

/** Calls longer ago say little of those to come, days. */
const forecastDays = 30;
const dayMs = 86_400_000;
/** Accounts in one transaction of a step over many. */
const batchAccounts = 100;

/** Active voiceprints of the tenant by model. */
export async function voiceprintsByModel(context: KeyContext, caller: Caller): Promise<readonly ModelPrints[]> {
  return context.store.transaction(caller.tenantId, (tx) => tx.modelChange.prints());
}

/**
 * Counts of the way to a model, and a forecast from the high-tier calls of the last 30 days that were accepted.
 * @param to the model; null: the one that the active policy lets calls make prints of
 * @returns null when `to` is null and the policy names none
 */
export async function changeProgress(
  context: KeyContext,
  caller: Caller,
  to: string | null,
): Promise<ChangeProgress | null> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const { document } = await activePolicy(tx, now);
    const { enrolment, modelChange } = document;
    const modelId = to ?? modelChange.quietPrintsOf;
    if (modelId === null) return null;
    const since = new Date(now.getTime() - forecastDays * dayMs);
    const counts = await tx.modelChange.counts(modelId, enrolment.utterances, modelChange.minVoiceLlr, since);
    const observedMs = now.getTime() - (counts.firstCallAt ?? now).getTime();
    const observedDays = Math.min(forecastDays, Math.max(1, observedMs / dayMs));
    return {
      ...counts,
      modelId,
      quietPrints: modelChange.quietPrintsOf === modelId,
      observedDays,
      medianDays: counts.medianMissingPerCall === null ? null : counts.medianMissingPerCall * observedDays,
    };
  });
}

/**
 * Takes an account's quiet print by a model back, and what was gathered for one. The print it was derived from goes on judging; where that
 * one is gone the quiet print stays.
 * @throws VoicegateError `not_found` when there is nothing to undo
 */
export async function undoChange(
  context: KeyContext,
  caller: Caller,
  accountId: string,
  modelId: string,
): Promise<{ readonly voiceprintsErased: number; readonly utterancesErased: number }> {
  const [undone] = await context.store.transaction(caller.tenantId, (tx) =>
    overAccounts(context, tx, [accountId], (held) => undoOne(caller, tx, held, modelId)),
  );
  if (undone === undefined) {
    throw new VoicegateError('not_found', `The account has no quiet voiceprint of ${modelId} that could be undone`, {
      hint: 'Prints of an enrolment are replaced by an enrolment, and an account’s last print is not taken',
    });
  }
  return { voiceprintsErased: undone.voiceprintsErased, utterancesErased: undone.utterancesErased };
}

/** The same for every account of the tenant, in batches. @param onBatch told how many accounts are done @returns how many in all */
export async function undoAll(
  context: KeyContext,
  caller: Caller,
  modelId: string,
  onBatch: (accounts: number) => void = () => undefined,
): Promise<number> {
  return inBatches(context, caller, onBatch, {
    list: (tx) => tx.modelChange.undoable(modelId, batchAccounts),
    step: (tx, held) => undoOne(caller, tx, held, modelId),
  });
}

/**
 * Ends a change: erases the prints by other models of every account that has one by this model. Accounts without one keep theirs and need
 * an enrolment once no loaded model knows it.
 * @param onBatch told how many accounts are done
 * @returns how many in all
 */
export async function finishChange(
  context: KeyContext,
  caller: Caller,
  modelId: string,
  onBatch: (accounts: number) => void = () => undefined,
): Promise<number> {
  return inBatches(context, caller, onBatch, {
    list: (tx) => tx.modelChange.finishable(modelId, batchAccounts),
    step: async (tx, { accountId, pseudonym }) => {
      const voiceprintsErased = await tx.modelChange.finish(modelId, accountId);
      if (voiceprintsErased === 0) return null;
      const kind = 'voiceprint_migration_finished';
      return { kind, by: actorOf(caller), account: pseudonym, modelId, voiceprintsErased };
    },
  });
}

interface Held {
  readonly accountId: string;
  readonly pseudonym: string;
}

type Undone = Extract<AuditEvent, { readonly kind: 'voiceprint_migration_undone' }>;

async function undoOne(
  caller: Caller,
  tx: Tx,
  { accountId, pseudonym }: Held,
  modelId: string,
): Promise<Undone | null> {
  const { voiceprints, candidates } = await tx.modelChange.undo(modelId, accountId);
  if (voiceprints + candidates === 0) return null;
  return {
    kind: 'voiceprint_migration_undone',
    by: actorOf(caller),
    account: pseudonym,
    modelId,
    voiceprintsErased: voiceprints,
    utterancesErased: candidates,
  };
}

/** Locks the accounts in the order given, then works on each, then seals what was done: the audit's head is always the last lock. */
async function overAccounts<E extends AuditEvent>(
  context: KeyContext,
  tx: Tx,
  accountIds: readonly string[],
  step: (held: Held) => Promise<E | null>,
): Promise<readonly E[]> {
  const held: Held[] = [];
  for (const accountId of accountIds) {
    const account = await tx.accounts.lock(accountId);
    if (account !== null) held.push({ accountId, pseudonym: accountPseudonym(account) });
  }
  const events: E[] = [];
  for (const one of held) {
    const event = await step(one);
    if (event !== null) events.push(event);
  }
  for (const event of events) await tx.audit.append(event, context.now());
  return events;
}

/** A transaction for each batch, until the list is empty: what was done is not listed again. */
async function inBatches(
  context: KeyContext,
  caller: Caller,
  onBatch: (accounts: number) => void,
  work: { list(tx: Tx): Promise<readonly string[]>; step(tx: Tx, held: Held): Promise<AuditEvent | null> },
): Promise<number> {
  let accounts = 0;
  for (;;) {
    const { listed, done } = await context.store.transaction(caller.tenantId, async (tx) => {
      const list = await work.list(tx);
      const events = await overAccounts(context, tx, list, (held) => work.step(tx, held));
      return { listed: list.length, done: events.length };
    });
    if (listed === 0) return accounts;
    accounts += done;
    onBatch(accounts);
  }
}
