import { drawDigits } from '../challenge/draw.js';
import type { Language } from '../challenge/languages.js';
import { promptText } from '../challenge/prompt-text.js';
import type { PolicyDocument } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import { activePolicy, known, lineHash, newId, optOutHash, type Caller, type ServiceContext } from './context.js';
import type { ChallengeRow, Tx } from './ports.js';

/** A challenge as the IVR reads it out. */
export interface ChallengeView {
  readonly challengeId: string;
  readonly digits: string;
  /** The prompt in the language asked for. */
  readonly prompt: string;
  readonly language: Language;
  readonly expiresAt: Date;
}

export interface ChallengeRequest {
  readonly language: Language;
  /** The caller's line number, bound to the challenge as a keyed hash. */
  readonly lineNumber: string | null;
}

/** Prompts that a new one shares no digit pair with, where possible. */
const promptsRemembered = 5;

/**
 * Draws a challenge. An `opaque` key gets one for any account id, known or not: a decoy is stored and treated like any other, so nothing
 * tells them apart. A `full` key is told what is wrong.
 * @throws VoicegateError for `full` keys `account_unknown`, `opted_out`
 */
export async function createChallenge(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  request: ChallengeRequest,
): Promise<ChallengeView> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const account = await tx.accounts.get(accountId);
    const optedOut = await tx.accounts.isOptedOut(optOutHash(context, caller, accountId));
    if (caller.answer === 'full') {
      known(account);
      if (optedOut) {
        throw new VoicegateError('opted_out', 'The account has opted out of voice verification', {
          hint: 'Serve the caller without voice',
        });
      }
    }
    const policy = await activePolicy(tx, now);
    // The attempts row is there for every id that is asked for: it keeps simultaneous requests for one id in line.
    await tx.attempts.lock(accountId);
    return issueChallenge(tx, policy.document, {
      accountId,
      language: request.language,
      line: lineHash(context, caller, request.lineNumber),
      now,
    });
  });
}

/** Draws and stores a challenge; the oldest open ones of the account expire so that the policy's number stays open. */
export async function issueChallenge(
  tx: Tx,
  policy: PolicyDocument,
  request: {
    readonly accountId: string;
    readonly language: Language;
    readonly line: Uint8Array | null;
    readonly now: Date;
  },
): Promise<ChallengeView> {
  const { accountId, language, line, now } = request;
  const rules = policy.challenge;
  const previous = await tx.challenges.recentDigits(accountId, promptsRemembered);
  const row: ChallengeRow = {
    challengeId: newId('chl'),
    accountId,
    digits: drawDigits({ count: rules.digits, previous }),
    purpose: 'verification',
    language,
    lineHash: line,
    createdAt: now,
    expiresAt: new Date(now.getTime() + rules.validitySeconds * 1000),
    usedAt: null,
  };
  await tx.challenges.expireOldest(accountId, rules.maxOpen - 1, now);
  await tx.challenges.insert(row);
  return {
    challengeId: row.challengeId,
    digits: row.digits,
    prompt: promptText(row.digits, language, { sayYaoForOne: rules.sayYaoForOne }),
    language,
    expiresAt: row.expiresAt,
  };
}
