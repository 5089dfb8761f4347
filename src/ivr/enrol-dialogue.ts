import { createHash } from 'node:crypto';
import type { Reason } from '../decision/reasons.js';
import { VoicegateError } from '../errors.js';
import { completeEnrolment } from '../service/complete-enrolment.js';
import { addUtterance, cancelEnrolment, startEnrolment, type UtteranceAnswer } from '../service/enrolments.js';
import { checkPin } from '../service/proof.js';
import type { StateOf, Submitted } from './dialogue-state.js';
import { accountName, asking, ended, ending, fields, unfinished, type PlainPrompt, type Turn } from './documents.js';
import { isAudioFault, isRefusal } from './faults.js';
import { submit, thenDo } from './vxml.js';

/** Says what is agreed to and asks for agreement, then for account and PIN. @param consented agreed in an earlier document */
export function askForConsent(
  turn: Turn,
  { consented, failures }: Pick<StateOf<'start-enrolment'>, 'consented' | 'failures'>,
  first: readonly PlainPrompt[],
): string {
  const { consent, account, pin } = fields(turn);
  const names = ['state', ...(consented ? [] : ['consent']), ...accountName(turn), 'pin'];
  return asking(
    turn,
    { step: 'start-enrolment', terms: turn.terms, failures, consented },
    first,
    [...(consented ? [] : [consent]), ...account, pin, thenDo(submit(names))],
    ...(consented ? [] : [ending(turn, 'declined', unfinished(turn.terms), ['consentDeclined'], 'well')]),
  );
}

/** Agreed: the consent is recorded and the enrolment opened in one, with the PIN as the proof. */
export async function start(turn: Turn, state: StateOf<'start-enrolment'>, { keys }: Submitted): Promise<string> {
  const { context, caller, terms } = turn;
  if (!state.consented && keys.consent !== '1') return ended(turn, unfinished(terms), ['consentDeclined'], 'well');
  const accountId = terms.accountId ?? keys.account;
  const again = (say: PlainPrompt): string =>
    state.failures + 1 < turn.tries
      ? askForConsent(turn, { consented: true, failures: state.failures + 1 }, [say])
      : notEnrolled(turn, 'enrolmentRefused');
  if (accountId === undefined || keys.pin === undefined) return again('notUnderstood');
  try {
    const { enrolmentId, prompts } = await startEnrolment(context, caller, accountId, {
      language: terms.language,
      proof: { pin: keys.pin, verificationId: null, agentId: null, overrideReason: null },
      consent: {
        purpose: 'authentication',
        textVersion: textVersion(turn),
        channel: 'ivr',
        evidenceReference: terms.callId,
        agentId: null,
      },
    });
    const digits = prompts.map((one) => one.digits);
    return askUtterance(turn, { step: 'utterance', terms, failures: 0, enrolmentId, prompts: digits, at: 0 }, [
      'enrolmentIntro',
    ]);
  } catch (fault) {
    if (!isRefusal(fault)) throw fault;
    if (fault.code === 'account_unknown') await checkPin(context, null, keys.pin);
    return again('tryAgain');
  }
}

/** The very text and recording that were played, as a version. */
function textVersion({ prompts, terms }: Turn): string {
  const sha256 = createHash('sha256')
    .update(JSON.stringify(prompts.pieces(terms.language, 'consent')))
    .digest('hex');
  return `ivr-${terms.language}-${sha256.slice(0, 16)}`;
}

function askUtterance(turn: Turn, state: StateOf<'utterance'>, first: readonly PlainPrompt[]): string {
  const digits = state.prompts[state.at];
  if (digits === undefined) return notEnrolled(turn, 'notEnrolled');
  return asking(turn, state, first, [
    fields(turn).utterance(digits),
    thenDo(submit(['state', 'utterance'], 'multipart/form-data')),
  ]);
}

/** One utterance is in: kept or asked for again; the last one makes the voiceprint. */
export async function utterance(turn: Turn, state: StateOf<'utterance'>, submitted: Submitted): Promise<string> {
  const { context, caller } = turn;
  const { enrolmentId } = state;
  const again = (say: PlainPrompt): string =>
    state.failures + 1 < turn.tries
      ? askUtterance(turn, { ...state, failures: state.failures + 1 }, [say])
      : notEnrolled(turn, 'notEnrolled');
  try {
    if (submitted.hungUp) {
      await cancelEnrolment(context, caller, enrolmentId);
      return ended(turn, unfinished(turn.terms), [], 'well');
    }
    if (submitted.utterance === null) return again('nothingHeard');
    const heard = await addUtterance(context, caller, enrolmentId, { ...submitted.utterance, channel: null });
    if (!heard.accepted) return again(hintFor(heard));
    if (!heard.progress.complete) {
      return askUtterance(turn, { ...state, failures: 0, at: state.at + 1 }, ['next']);
    }
    await completeEnrolment(context, caller, enrolmentId);
    return ended(turn, { outcome: 'ENROLLED' }, ['enrolled'], 'well');
  } catch (fault) {
    if (isAudioFault(fault)) return again('nothingHeard');
    if (fault instanceof VoicegateError && isOver(fault)) return notEnrolled(turn, 'notEnrolled');
    throw fault;
  }
}

/** The enrolment cannot go on. */
const isOver = ({ code }: VoicegateError): boolean =>
  code.startsWith('enrolment_') || ['model_mismatch', 'opted_out', 'consent_missing'].includes(code);

const hints: Partial<Record<Reason, PlainPrompt>> = {
  NOT_ENOUGH_SPEECH: 'speakLonger',
  MULTIPLE_SPEAKERS: 'oneVoiceOnly',
  WRONG_TEXT: 'otherDigits',
};

function hintFor({ reasons }: UtteranceAnswer): PlainPrompt {
  const [first] = reasons;
  return (first === undefined ? undefined : hints[first]) ?? 'speakInQuiet';
}

const notEnrolled = (turn: Turn, say: PlainPrompt): string => ended(turn, unfinished(turn.terms), [say], 'not well');
