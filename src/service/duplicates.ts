import type { PolicyDocument } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import type { Calibration } from '../scoring/calibration.js';
import { scoreVoice } from '../scoring/score-voice.js';
import { tailThreshold } from '../tuning/tail.js';
import { accountPseudonym, actorOf, newId, scorerOf, type Caller, type ServiceContext } from './context.js';
import type { AccountRow, DuplicateRow, EnrolmentRow, Tx, VoiceprintRow } from './ports.js';

/** The nearest by cosine are scored fully: score normalisation may change their order a little. */
const nearestScored = 20;
/** More findings of one enrolment tell nothing new. */
const mostFindings = 3;

/** A print of another account that a new one is like. */
interface Match {
  readonly other: AccountRow;
  readonly modelId: string;
  readonly llr: number;
  readonly thresholdLlr: number;
  readonly printsSearched: number;
}

/**
 * The LLR that one of so many prints must reach to be taken for the same voice, so that a new voice meets a false match with at most the given
 * probability: each comparison gets budget / prints. Out of the measured tail of different speakers' prints where the calibration has one; else by what any
 * calibrated LLR keeps, P(LLR ≥ t | different) ≤ e^−t, which is safe and finds little.
 * @param falseAlarms budget of one enrolment, in (0, 1)
 * @param floorLlr never below this
 */
export function duplicateThresholdLlr(
  prints: number,
  falseAlarms: number,
  tail: Calibration['printTail'],
  floorLlr: number,
): number {
  const fmr = falseAlarms / Math.max(1, prints);
  const measured = tail === undefined ? -Math.log(fmr) : fmr < tail.share ? tailThreshold(tail, fmr) : tail.level;
  return Math.max(floorLlr, measured);
}

/**
 * Looks for the voice of new prints among all other accounts' of the tenant, each by its own model. Accounts that the security team has allowed to share a
 * voice are left out.
 * @returns the most alike first, at most one for each other account, which is held until the transaction ends
 */
export async function findDuplicates(
  context: ServiceContext,
  tx: Tx,
  accountId: string,
  prints: readonly VoiceprintRow[],
  policy: PolicyDocument,
): Promise<readonly Match[]> {
  const { whenFound, falseAlarmsPerEnrolment } = policy.duplicates;
  if (whenFound === 'off') return [];
  const allowed = new Set(await tx.duplicates.allowedWith(accountId));
  const best = new Map<string, Omit<Match, 'other'>>();
  for (const { modelId, vector, netSpeechSeconds } of prints) {
    const scorer = scorerOf(context, modelId);
    const found = await tx.voiceprints.nearest(modelId, vector, accountId, nearestScored + allowed.size);
    const thresholdLlr = duplicateThresholdLlr(
      found.searched,
      falseAlarmsPerEnrolment / prints.length,
      scorer.calibration.printTail,
      policy.tiers.low.minVoiceLlr,
    );
    for (const other of found.prints) {
      if (allowed.has(other.accountId)) continue;
      const { llr } = scoreVoice({ enrolment: other, test: { vector, netSpeechSeconds, snrDb: null } }, scorer);
      const before = best.get(other.accountId);
      if (!(llr >= thresholdLlr) || (before !== undefined && before.llr >= llr)) continue;
      best.set(other.accountId, { modelId, llr, thresholdLlr, printsSearched: found.searched });
    }
  }
  const matches: Match[] = [];
  for (const [otherAccountId, match] of [...best].sort(([, a], [, b]) => b.llr - a.llr).slice(0, mostFindings)) {
    // Held, so that it is not erased between the search and the record.
    const other = await tx.accounts.lock(otherAccountId);
    if (other !== null) matches.push({ ...match, other });
  }
  return matches;
}

/** Records findings for the security team and in the audit. */
export async function recordDuplicates(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  { account, enrolment }: { readonly account: AccountRow; readonly enrolment: EnrolmentRow },
  matches: readonly Match[],
  outcome: DuplicateRow['outcome'],
): Promise<void> {
  const createdAt = context.now();
  for (const { other, ...match } of matches) {
    const facts = { ...match, findingId: newId('dup'), enrolmentId: enrolment.enrolmentId, outcome };
    await tx.duplicates.insert({
      ...facts,
      accountId: account.accountId,
      otherAccountId: other.accountId,
      createdAt,
      allowed: null,
      resolvedAt: null,
    });
    await tx.audit.append(
      {
        kind: 'duplicate_voice_found',
        by: actorOf(caller, enrolment.agentId),
        account: accountPseudonym(account),
        otherAccount: accountPseudonym(other),
        ...facts,
      },
      createdAt,
    );
  }
}

/** Findings of the tenant, newest first: for the security team alone. */
export async function listDuplicates(
  context: ServiceContext,
  caller: Caller,
  what: { readonly onlyOpen: boolean; readonly before: string | null; readonly limit: number },
): Promise<readonly DuplicateRow[]> {
  return context.store.transaction(caller.tenantId, (tx) => tx.duplicates.list(what));
}

/** Says what a finding is; where both accounts may hold the voice, it is not found between them again. @throws VoicegateError `not_found` */
export async function resolveDuplicate(
  context: ServiceContext,
  caller: Caller,
  findingId: string,
  allowed: boolean,
): Promise<DuplicateRow> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const row = await tx.duplicates.resolve(findingId, allowed, now);
    if (row === null) throw new VoicegateError('not_found', 'There is no such finding');
    await tx.audit.append({ kind: 'duplicate_voice_resolved', by: actorOf(caller), findingId, allowed }, now);
    return row;
  });
}
