import { VoicegateError } from '../errors.js';
import { accountPseudonym, actorOf, known, newId, optOutHash, type Caller, type ServiceContext } from './context.js';
import type { AccountRow, ConsentRow, Tx } from './ports.js';

/** What is recorded of a consent. */
export interface ConsentRequest {
  /** What the voice may be used for, e.g. `authentication`. */
  readonly purpose: string;
  /** Version of the text that was read out or shown. */
  readonly textVersion: string;
  /** Where it was given, e.g. `ivr`, `agent`, `app`. */
  readonly channel: string;
  /** Where the operator keeps the proof (call recording id, document id). */
  readonly evidenceReference: string | null;
  readonly agentId: string | null;
}

/** Records a consent. @throws VoicegateError `account_unknown`, `opted_out` */
export async function giveConsent(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  request: ConsentRequest,
): Promise<ConsentRow> {
  return context.store.transaction(caller.tenantId, async (tx) =>
    recordConsent(context, caller, tx, known(await tx.accounts.lock(accountId)), request),
  );
}

/** Records a consent in a transaction that holds the account. @throws VoicegateError `opted_out` */
export async function recordConsent(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  account: AccountRow,
  request: ConsentRequest,
): Promise<ConsentRow> {
  const now = context.now();
  const { accountId } = account;
  if (await tx.accounts.isOptedOut(optOutHash(context, caller, accountId))) {
    throw new VoicegateError('opted_out', 'The account has opted out, a consent cannot stand beside it', {
      hint: 'On the caller’s wish lift the opt-out first: PUT /v1/accounts/{accountId}/opt-out {"optedOut": false}',
    });
  }
  const row: ConsentRow = { ...request, consentId: newId('con'), accountId, givenAt: now, withdrawnAt: null };
  await tx.consents.insert(row);
  await tx.audit.append(
    {
      kind: 'consent_given',
      by: actorOf(caller, request.agentId),
      account: accountPseudonym(account),
      consentId: row.consentId,
      purpose: row.purpose,
      textVersion: row.textVersion,
      channel: row.channel,
    },
    now,
  );
  return row;
}

/** Withdraws the consent and erases the voiceprint with it. @throws VoicegateError `account_unknown`, `not_found` when there is none */
export async function withdrawConsent(context: ServiceContext, caller: Caller, accountId: string): Promise<void> {
  await context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const account = known(await tx.accounts.lock(accountId));
    const withdrawn = await tx.consents.withdraw(accountId, now);
    const voiceprintsErased = await tx.voiceprints.eraseAll(accountId);
    await tx.enrolments.supersedeOpen(accountId);
    if (withdrawn === 0) throw new VoicegateError('not_found', 'There is no consent to withdraw');
    await tx.audit.append(
      { kind: 'consent_withdrawn', by: actorOf(caller), account: accountPseudonym(account), voiceprintsErased },
      now,
    );
  });
}
