import { randomBytes } from 'node:crypto';
import { gate as attemptGate } from '../decision/attempts.js';
import { noAttempts } from '../decision/attempt-state.js';
import { VoicegateError } from '../errors.js';
import { accountPseudonym, actorOf, known, optOutHash, type Caller, type ServiceContext } from './context.js';
import { listenerFor, printFor } from './prints.js';
import type { AccountRow, Tx } from './ports.js';

/** An account as the operator sees it. */
export interface AccountView {
  readonly accountId: string;
  readonly createdAt: Date;
  readonly enrolled: boolean;
  /** The one that judges. */
  readonly voiceprint: { readonly voiceprintId: string; readonly modelId: string; readonly createdAt: Date } | null;
  readonly consented: boolean;
  readonly optedOut: boolean;
  readonly pinSet: boolean;
  /** When the next attempt is judged; null when attempts are open. */
  readonly lockedUntil: Date | null;
  /** Closed until unlocked. */
  readonly disabled: boolean;
}

/** Creates the account unless it is there. Creating again changes nothing. */
export async function putAccount(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
): Promise<{ readonly created: boolean; readonly account: AccountView }> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const { row, created } = await tx.accounts.insertIfAbsent({
      accountId,
      createdAt: now,
      pseudonymKey: randomBytes(32),
      pinHash: null,
      pinSetAt: null,
    });
    const account = await view(context, caller, tx, row);
    if (created) {
      await tx.audit.append({ kind: 'account_created', by: actorOf(caller), account: accountPseudonym(row) }, now);
    }
    return { created, account };
  });
}

/** @throws VoicegateError `account_unknown` */
export async function getAccount(context: ServiceContext, caller: Caller, accountId: string): Promise<AccountView> {
  return context.store.transaction(caller.tenantId, async (tx) =>
    view(context, caller, tx, known(await tx.accounts.get(accountId))),
  );
}

/**
 * Erases voiceprints, PIN, consents, challenges, enrolments and counters. What stays: the audit, whose pseudonym can no longer be tied to
 * the account since its key is gone, and the opt-out mark, if any, under a keyed hash. What calls left under an id that is no account
 * (any more) goes as well, although the answer is that there is no such account.
 * @throws VoicegateError `account_unknown`
 */
export async function eraseAccount(context: ServiceContext, caller: Caller, accountId: string): Promise<void> {
  const row = await context.store.transaction(caller.tenantId, async (tx) => {
    const account = await tx.accounts.lock(accountId);
    const voiceprintsErased = await tx.voiceprints.eraseAll(accountId);
    await tx.accounts.erase(accountId);
    if (account !== null) {
      await tx.audit.append(
        { kind: 'account_erased', by: actorOf(caller), account: accountPseudonym(account), voiceprintsErased },
        context.now(),
      );
    }
    return account;
  });
  known(row);
}

/**
 * Sets or lifts the opt-out. Works for accounts that do not exist (somebody may refuse before the first call); opting out erases the
 * voiceprint and withdraws consent.
 */
export async function setOptOut(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  optedOut: boolean,
): Promise<{ readonly accountId: string; readonly optedOut: boolean }> {
  await context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const row = await tx.accounts.lock(accountId);
    await tx.accounts.setOptOut(optOutHash(context, caller, accountId), optedOut, now);
    if (optedOut && row !== null) {
      await tx.voiceprints.eraseAll(accountId);
      await tx.consents.withdraw(accountId, now);
      await tx.enrolments.supersedeOpen(accountId);
    }
    await tx.audit.append(
      { kind: 'opt_out_set', by: actorOf(caller), account: row === null ? null : accountPseudonym(row), optedOut },
      now,
    );
  });
  return { accountId, optedOut };
}

/** Opens a locked or disabled account again. @throws VoicegateError `account_unknown` */
export async function unlockAccount(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  request: { readonly agentId: string | null; readonly reason: string | null },
): Promise<AccountView> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const row = known(await tx.accounts.lock(accountId));
    await tx.attempts.lock(accountId);
    await tx.attempts.save(accountId, noAttempts);
    const account = await view(context, caller, tx, row);
    await tx.audit.append(
      {
        kind: 'account_unlocked',
        by: actorOf(caller, request.agentId),
        account: accountPseudonym(row),
        reason: request.reason,
      },
      context.now(),
    );
    return account;
  });
}

async function view(context: ServiceContext, caller: Caller, tx: Tx, row: AccountRow): Promise<AccountView> {
  const { accountId } = row;
  const prints = await tx.voiceprints.active(accountId);
  const print = printFor(listenerFor(context, prints), prints);
  const attempts = await tx.attempts.get(accountId);
  const gate = attemptGate(attempts, context.now());
  return {
    accountId,
    createdAt: row.createdAt,
    enrolled: print !== null,
    voiceprint:
      print === null ? null : { voiceprintId: print.voiceprintId, modelId: print.modelId, createdAt: print.createdAt },
    consented: (await tx.consents.current(accountId)) !== null,
    optedOut: await tx.accounts.isOptedOut(optOutHash(context, caller, accountId)),
    pinSet: row.pinHash !== null,
    lockedUntil: gate.open ? null : gate.retryAt,
    disabled: attempts.disabled,
  };
}

/**
 * Consent, no opt-out: the two conditions under which audio of this account may be embedded.
 * @throws VoicegateError `opted_out`, `consent_missing`
 */
export async function requireConsent(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  accountId: string,
): Promise<void> {
  if (await tx.accounts.isOptedOut(optOutHash(context, caller, accountId))) {
    throw new VoicegateError('opted_out', 'The account has opted out of voice verification', {
      hint: 'Serve the caller without voice; PUT /v1/accounts/{accountId}/opt-out {"optedOut": false} lifts it on the caller’s wish',
    });
  }
  if ((await tx.consents.current(accountId)) === null) {
    throw new VoicegateError('consent_missing', 'No consent is recorded for the account', {
      hint: 'Record it with POST /v1/accounts/{accountId}/consents before any audio is sent',
    });
  }
}
