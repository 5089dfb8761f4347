import { readingGroups } from '../challenge/prompt-text.js';
import { isAddress, type Piece } from '../prompts/prompts.js';
import type { Language } from '../challenge/languages.js';
import { element, writeXml, type XmlElement, type XmlNode } from './xml.js';

/** Where documents submit to, from whatever document of ours: all lie in one folder. */
const next = 'next';
/** Where recordings of prompts lie, as seen from that folder. */
const recordingsFrom = '../../../ivr/prompts/';

/** Pauses between digits that are to be repeated, and between groups of them: a group is held in memory and said again. */
const pauses = { digit: '250ms', group: '800ms' };

/** A recording longer than any answer: ten digits said slowly, with hesitation. */
const record = { maxtime: '20s', finalsilence: '2s' };

const languageTags: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-US' };

/**
 * A VoiceXML 2.1 document (W3C Recommendation of 2007-06-19). Its first form is where it begins.
 * @param variables of the document; their values are names and tokens
 * @param handlers of events that no form handles
 */
export function vxmlDocument(
  language: Language,
  variables: Readonly<Record<string, string>>,
  handlers: readonly XmlElement[],
  ...forms: readonly XmlElement[]
): string {
  const properties = {
    inputmodes: 'dtmf',
    termchar: '#',
    timeout: '8s',
    interdigittimeout: '4s',
    fetchtimeout: '30s',
    bargein: 'true',
  };
  return writeXml(
    element(
      'vxml',
      { version: '2.1', xmlns: 'http://www.w3.org/2001/vxml', 'xml:lang': languageTags[language] },
      Object.entries(properties).map(([name, value]) => element('property', { name, value })),
      Object.entries(variables).map(([name, value]) => element('var', { name, expr: literal(value) })),
      handlers,
      forms,
    ),
  );
}

/** A value as a script has it. Only names and tokens go into documents. */
function literal(value: string): string {
  if (!/^[A-Za-z0-9_-]*$/.test(value)) throw new Error('a value in a document is no name');
  return `'${value}'`;
}

/** What is said. */
export function prompt(pieces: readonly XmlNode[], attributes: XmlElement['attributes'] = {}): XmlElement {
  return element('prompt', attributes, pieces);
}

/** Pieces of a prompt as mark-up: a recording with the text for a gateway that cannot fetch it, or the text. */
export function spoken(pieces: readonly Piece[]): XmlNode[] {
  return pieces.flatMap(({ text, audio }): XmlNode[] => {
    if (audio === null) return text === '' ? [] : [text];
    return [element('audio', { src: isAddress(audio) ? audio : `${recordingsFrom}${audio}` }, text)];
  });
}

/** Digits at a pace at which they can be said again. @param say how one digit is said */
export function spokenSlowly(digits: string, say: (digit: string) => readonly XmlNode[]): XmlNode[] {
  return readingGroups(digits).flatMap((group, groupIndex) => [
    ...(groupIndex === 0 ? [] : [element('break', { time: pauses.group })]),
    ...[...group].flatMap((digit, index) => [
      ...(index === 0 ? [] : [element('break', { time: pauses.digit })]),
      ...say(digit),
    ]),
  ]);
}

/** How often something is asked for that does not come, and what is said then. */
export interface Patience {
  readonly tries: number;
  readonly onNothing: readonly XmlNode[];
  readonly onWrong: readonly XmlNode[];
  /** The form that ends the dialogue. */
  readonly giveUp: string;
}

/** A field for keys. @param digits how many: a number, or a range as SRGS has it, `1-32` */
export function keypadField(name: string, digits: string, ask: readonly XmlNode[], patience: Patience): XmlElement {
  const key = `${name}Key`;
  const grammar = keypadGrammar(
    `${name}Keys`,
    element('item', { repeat: digits }, element('ruleref', { uri: `#${key}` })),
    element('rule', { id: key }, oneOf('0123456789')),
  );
  return element('field', { name }, prompt(ask), grammar, impatience(patience));
}

/** A field that takes key 1 or, for no, key 2, which leads to another form. */
export function yesField(name: string, ask: readonly XmlNode[], patience: Patience, onNo: string): XmlElement {
  const no = element('if', { cond: `${name} == '2'` }, goTo(onNo));
  const grammar = keypadGrammar(`${name}Keys`, oneOf('12'));
  return element('field', { name }, prompt(ask), grammar, impatience(patience), element('filled', {}, no));
}

/** Written out in SRGS, which every browser must take; built-in grammars are an option of theirs. @param root the rule's id, once in a document */
const keypadGrammar = (root: string, expansion: XmlElement, ...rules: readonly XmlElement[]): XmlElement =>
  element(
    'grammar',
    { version: '1.0', mode: 'dtmf', root, type: 'application/srgs+xml' },
    element('rule', { id: root, scope: 'public' }, expansion),
    rules,
  );

const oneOf = (keys: string): XmlElement =>
  element(
    'one-of',
    {},
    [...keys].map((key) => element('item', {}, key)),
  );

/** Asks for an utterance and records it. The request cannot be talked over: its end is when to speak. */
export function recordItem(name: string, ask: readonly XmlNode[], patience: Patience): XmlElement {
  return element(
    'record',
    { name, beep: 'true', dtmfterm: 'true', type: 'audio/x-wav', ...record },
    prompt(ask, { bargein: 'false' }),
    impatience(patience),
  );
}

function impatience({ tries, onNothing, onWrong, giveUp }: Patience): XmlElement[] {
  const handler = (event: 'noinput' | 'nomatch', say: readonly XmlNode[]): XmlElement[] => [
    element(event, {}, prompt(say), element('reprompt')),
    element(event, { count: String(tries) }, goTo(giveUp)),
  ];
  return [...handler('noinput', onNothing), ...handler('nomatch', onWrong)];
}

/** Sends variables to us; the answer is the next document. */
export function submit(names: readonly string[], enctype: 'multipart/form-data' | undefined = undefined): XmlElement {
  return element('submit', { next, method: 'post', enctype, namelist: names.join(' ') });
}

/** What is done once the items before it are filled. */
export const thenDo = (...content: readonly XmlElement[]): XmlElement => element('block', {}, content);

export const form = (id: string, ...items: readonly (XmlElement | readonly XmlElement[])[]): XmlElement =>
  element('form', { id }, ...items);

/** Ends the dialogue and hands variables over. */
export const leave = (how: 'exit' | 'return', names: readonly string[]): XmlElement =>
  element(how, { namelist: names.join(' ') });

/** Goes on with another form of the document. */
export const goTo = (id: string): XmlElement => element('goto', { next: `#${id}` });

/** Handles events, by name or by the beginning of a name. */
export const on = (event: string, ...content: readonly XmlElement[]): XmlElement =>
  element('catch', { event }, content);

/** Connects the caller elsewhere and lets go (a blind transfer). Whatever becomes of it, `after` follows. */
export function transfer(dest: string, say: readonly XmlNode[], after: XmlElement): XmlElement {
  return element(
    'transfer',
    { name: 'call', dest, bridge: 'false' },
    prompt(say),
    on('connection.disconnect error', after),
    element('filled', {}, after),
  );
}

/** The caller's line as the gateway knows it; empty where it does not say. */
export const lineVariable = element('var', {
  name: 'line',
  expr: "typeof session != 'undefined' && session.connection && session.connection.remote ? session.connection.remote.uri : ''",
});
