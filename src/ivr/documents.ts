import { spokenDigits } from '../challenge/prompt-text.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Caller, ServiceContext } from '../service/context.js';
import type { DialogueState, Terms } from './dialogue-state.js';
import type { IvrPromptName, IvrPrompts } from './ivr-prompts.js';
import { seal } from './sealed-state.js';
import * as vxml from './vxml.js';
import type { XmlElement, XmlNode } from './xml.js';

/** What all dialogues are served with. */
export interface IvrOptions {
  readonly prompts: IvrPrompts;
  /** How often a factor is asked for. */
  readonly tries: number;
  /** Where callers go who were not accepted, e.g. tel:+8610000; null: the dialogue ends and the gateway decides. */
  readonly transferTo: string | null;
}

/** One request of a dialogue, with what it needs. */
export interface Turn extends IvrOptions {
  readonly context: ServiceContext;
  readonly caller: Caller;
  readonly terms: Terms;
  readonly policy: PolicyDocument;
}

/** What a dialogue hands to the gateway. */
export type Result = Readonly<Record<string, string>>;

/** The result of a dialogue that comes to no other end. */
export function unfinished({ dialogue, tier }: Terms): Result {
  switch (dialogue) {
    case 'verify':
      return { decision: 'INCONCLUSIVE', verificationId: '', tier };
    case 'enrol':
      return { outcome: 'NOT_ENROLLED' };
    case 'pin-set':
    case 'pin-change':
    case 'pin-after-voice':
      return { outcome: 'PIN_NOT_SET' };
  }
}

/** What is said when nothing comes of a dialogue. */
function failure({ dialogue }: Terms): PlainPrompt {
  switch (dialogue) {
    case 'verify':
    case 'pin-after-voice':
      return 'notAccepted';
    case 'enrol':
      return 'notEnrolled';
    case 'pin-set':
    case 'pin-change':
      return 'pinNotSet';
  }
}

/** A prompt without placeholders, as mark-up. */
export type PlainPrompt = Exclude<IvrPromptName, 'askPin' | 'askOldPin' | 'askNewPin' | 'digit'>;

/** Prompts one after another. */
export const said = ({ prompts, terms }: Turn, ...names: readonly PlainPrompt[]): XmlNode[] =>
  names.flatMap((name, index) => [...(index === 0 ? [] : [' ']), ...vxml.spoken(prompts.pieces(terms.language, name))]);

/** What asks for the digits of a challenge. */
export function digitsAsked(turn: Turn, digits: string): XmlNode[] {
  const { prompts, terms, policy } = turn;
  const one = (digit: string): XmlNode[] => {
    const word = spokenDigits(digit, terms.language, policy.challenge);
    return vxml.spoken(prompts.pieces(terms.language, 'digit', { word, digit }));
  };
  return [...said(turn, 'sayDigits'), ' ', ...vxml.spokenSlowly(digits, one), ' ', ...said(turn, 'speakNow')];
}

/** The fields that every dialogue asks with. */
export function fields(turn: Turn) {
  const { prompts, terms, policy } = turn;
  const patience = (onWrong: PlainPrompt = 'notUnderstood', onNothing: PlainPrompt = 'nothingEntered') => ({
    tries: turn.tries,
    onNothing: said(turn, onNothing),
    onWrong: said(turn, onWrong),
    giveUp: 'giveUp',
  });
  const pinField = (name: string, ask: 'askPin' | 'askOldPin' | 'askNewPin'): XmlElement => {
    const digits = String(policy.pin.digits);
    return vxml.keypadField(name, digits, vxml.spoken(prompts.pieces(terms.language, ask, { digits })), patience());
  };
  return {
    /** None where the operator named the account. */
    account:
      terms.accountId === null ? [vxml.keypadField('account', '1-32', said(turn, 'askAccount'), patience())] : [],
    pin: pinField('pin', 'askPin'),
    oldPin: pinField('oldPin', 'askOldPin'),
    newPin: [
      pinField('newPin', 'askNewPin'),
      vxml.keypadField('repeatPin', String(policy.pin.digits), said(turn, 'repeatNewPin'), patience()),
    ],
    consent: vxml.yesField('consent', said(turn, 'consent', 'askConsent'), patience(), 'declined'),
    utterance: (digits: string): XmlElement =>
      vxml.recordItem('utterance', digitsAsked(turn, digits), patience('nothingHeard', 'nothingHeard')),
  };
}

/** The names of the fields, for `submit`. */
export const accountName = ({ terms }: Turn): readonly string[] => (terms.accountId === null ? ['account'] : []);

/**
 * A document that asks for something and submits it.
 * @param first what is said before
 * @param items form items, the last of which submits
 * @param more forms that the items lead to
 */
export function asking(
  turn: Turn,
  state: DialogueState,
  first: readonly PlainPrompt[],
  items: readonly XmlElement[],
  ...more: readonly XmlElement[]
): string {
  const result = unfinished(turn.terms);
  const over = vxml.leave(turn.terms.ends, Object.keys(result));
  const records = items.some(({ name }) => name === 'record');
  return vxml.vxmlDocument(
    turn.terms.language,
    { state: seal(turn.context, turn.caller, state), ...result, ...(records ? { hungUp: 'true' } : {}) },
    [
      // Who hangs up while speaking is not judged by half an answer, but we are told.
      vxml.on('connection.disconnect', records ? vxml.submit(['state', 'hungUp']) : over),
      vxml.on('error.badfetch error', vxml.goTo('failed')),
    ],
    vxml.form('ask', ...(first.length === 0 ? [] : [vxml.thenDo(vxml.prompt(said(turn, ...first)))]), items),
    ...more,
    ending(turn, 'giveUp', result, [failure(turn.terms)]),
    ending(turn, 'failed', result, ['failed']),
  );
}

/**
 * The document that ends a dialogue.
 * @param well the caller has what they called for; else they are connected to an agent, where there is one
 */
export function ended(turn: Turn, result: Result, say: readonly PlainPrompt[], well: 'well' | 'not well'): string {
  return vxml.vxmlDocument(turn.terms.language, result, [], ending(turn, 'end', result, say, well));
}

/** The form that ends a dialogue. Whatever goes wrong in it, the gateway gets the result. */
export function ending(
  turn: Turn,
  id: string,
  result: Result,
  say: readonly PlainPrompt[],
  well: 'well' | 'not well' = 'not well',
): XmlElement {
  const { terms, transferTo } = turn;
  const over = vxml.leave(terms.ends, Object.keys(result));
  const whatever = vxml.on('connection.disconnect error', over);
  if (well === 'not well' && transferTo !== null && terms.ends === 'exit') {
    const saying = say.length === 0 ? [] : [vxml.thenDo(vxml.prompt(said(turn, ...say)))];
    return vxml.form(id, whatever, saying, vxml.transfer(transferTo, said(turn, 'toAgent'), over));
  }
  const last =
    terms.ends === 'exit' && !(well === 'well' && terms.dialogue === 'verify') ? [...say, 'goodbye' as const] : say;
  const saying = last.length === 0 ? [] : [vxml.prompt(said(turn, ...last))];
  return vxml.form(id, whatever, vxml.thenDo(...saying, over));
}
