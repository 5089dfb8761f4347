import { createChallenge, type ChallengeView } from '../service/challenges.js';
import { checkPinAhead } from '../service/checked-pin.js';
import type { VerificationAnswer } from '../service/judge.js';
import { verify } from '../service/verify.js';
import type { StateOf, Submitted } from './dialogue-state.js';
import {
  accountName,
  asking,
  ended,
  fields,
  unfinished,
  type PlainPrompt,
  type Result,
  type Turn,
} from './documents.js';
import { isAudioFault } from './faults.js';
import { askNewPin } from './pin-dialogue.js';
import { lineVariable, submit, thenDo } from './vxml.js';

/** Asks for account and PIN. @param failures verifications of this call that were rejected */
export function askIdentity(turn: Turn, failures: number, first: readonly PlainPrompt[]): string {
  const { account, pin } = fields(turn);
  const names = ['state', ...accountName(turn), 'pin', 'line'];
  return asking(turn, { step: 'identify', terms: turn.terms, failures }, first, [
    lineVariable,
    ...account,
    pin,
    thenDo(submit(names)),
  ]);
}

/**
 * Account and PIN are in: the PIN is compared, which nobody hears of before the verdict, and a challenge drawn, for whatever id was
 * entered.
 */
export async function identify(turn: Turn, state: StateOf<'identify'>, { keys, line }: Submitted): Promise<string> {
  const { context, caller } = turn;
  const terms = { ...turn.terms, line: turn.terms.line ?? line };
  const accountId = terms.accountId ?? keys.account;
  if (accountId === undefined || keys.pin === undefined) return anew(turn, state.failures, 'notUnderstood');
  const pin = await checkPinAhead(context, caller, accountId, keys.pin);
  // As for an opaque key: a caller may not hear whether there is such an account.
  const challenge = await createChallenge(context, { ...caller, answer: 'opaque' }, accountId, {
    language: terms.language,
    lineNumber: terms.line,
  });
  const mark = pin.mark === null ? null : Buffer.from(pin.mark).toString('base64url');
  const { challengeId, digits } = challenge;
  return askUtterance(
    { ...turn, terms },
    {
      step: 'answer',
      terms,
      failures: state.failures,
      accountId,
      challengeId,
      digits,
      pin: { evidence: pin.evidence, mark },
      continues: null,
    },
    [],
  );
}

function askUtterance(turn: Turn, state: StateOf<'answer'>, first: readonly PlainPrompt[]): string {
  const items = [fields(turn).utterance(state.digits), thenDo(submit(['state', 'utterance'], 'multipart/form-data'))];
  return asking(turn, state, first, items);
}

/** The challenge is answered: judged as any recording is. */
export async function answer(turn: Turn, state: StateOf<'answer'>, submitted: Submitted): Promise<string> {
  const { context, caller, terms } = turn;
  // Half an answer is no answer: nothing is judged or counted, and nothing accepted by it.
  if (submitted.hungUp) return ended(turn, unfinished(terms), [], 'well');
  const { utterance } = submitted;
  if (utterance === null) return nothingHeard(turn, state);
  const { accountId, challengeId, pin, continues } = state;
  let made: VerificationAnswer;
  try {
    made = await verify(context, caller, {
      accountId,
      challengeId,
      audio: { ...utterance, channel: null },
      pin: { evidence: pin.evidence, mark: pin.mark === null ? null : Buffer.from(pin.mark, 'base64url') },
      tier: terms.tier,
      continues,
      identifiedByAgent: false,
      call: { callId: terms.callId, lineNumber: terms.line, channel: 'ivr', agentId: null },
    });
  } catch (fault) {
    // Refused before anything was judged.
    if (isAudioFault(fault)) return nothingHeard(turn, state);
    throw fault;
  }
  return verdict(turn, state, made);
}

function nothingHeard(turn: Turn, state: StateOf<'answer'>): string {
  const failures = state.failures + 1;
  if (failures >= turn.tries) return refused(turn, unfinished(turn.terms));
  return askUtterance(turn, { ...state, failures }, ['nothingHeard']);
}

function verdict(turn: Turn, state: StateOf<'answer'>, { verification, nextChallenge }: VerificationAnswer): string {
  const { terms } = turn;
  const { verificationId, decision } = verification;
  const result =
    terms.dialogue === 'verify' ? { decision: decision.kind, verificationId, tier: terms.tier } : unfinished(terms);
  switch (decision.kind) {
    case 'ACCEPT':
      if (terms.dialogue !== 'verify') {
        return askNewPin(turn, { accountId: state.accountId, verificationId, failures: 0 }, ['accepted']);
      }
      return ended(turn, result, ['accepted'], 'well');
    case 'CONTINUE': {
      const { challengeId, digits } = nextChallenge as ChallengeView;
      return askUtterance(turn, { ...state, challengeId, digits, continues: verificationId }, ['oneMore']);
    }
    case 'REJECT':
      // Whichever factor failed, all are asked for again.
      return state.failures + 1 < turn.tries ? anew(turn, state.failures, 'tryAgain') : refused(turn, result);
    case 'STEP_UP':
    case 'INCONCLUSIVE':
      return refused(turn, result);
  }
}

/** One failure more, and from the beginning. */
function anew(turn: Turn, failures: number, say: PlainPrompt): string {
  return failures + 1 < turn.tries ? askIdentity(turn, failures + 1, [say]) : refused(turn, unfinished(turn.terms));
}

const refused = (turn: Turn, result: Result): string => ended(turn, result, ['notAccepted'], 'not well');
