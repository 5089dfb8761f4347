import { DOMParser, type Element } from '@xmldom/xmldom';

/** Elements with text or none are the same here: only elements are told apart. */
const executable =
  'audio value assign clear data disconnect exit foreach goto if log reprompt return script submit throw var prompt';
const handlers = 'catch help noinput nomatch error';
const cache = 'fetchhint fetchtimeout maxage maxstale';

/**
 * What may stand where, after VoiceXML 2.1 with SRGS 1.0 and SSML 1.0 in its namespace: the elements' children and attributes; `!` marks a
 * required attribute.
 */
const rules: Readonly<
  Record<string, { readonly children: string; readonly attributes: string; readonly text?: true }>
> = {
  vxml: {
    children: `property var ${handlers} form menu link meta script data`,
    attributes: 'version! xmlns xml:lang xml:base application',
  },
  property: { children: '', attributes: 'name! value!' },
  var: { children: '', attributes: 'name! expr' },
  form: {
    children: `${handlers} filled initial link property record script subdialog transfer block data field var grammar`,
    attributes: 'id scope',
  },
  block: { children: executable, attributes: 'name cond expr', text: true },
  field: {
    children: `audio value ${handlers} filled link option property grammar prompt`,
    attributes: 'name cond expr type slot modal',
    text: true,
  },
  record: {
    children: `audio value ${handlers} filled property grammar prompt`,
    attributes: 'name cond expr type beep maxtime modal finalsilence dtmfterm',
    text: true,
  },
  transfer: {
    children: `audio value ${handlers} filled property grammar prompt`,
    attributes: 'name cond expr dest destexpr bridge type connecttimeout maxtime transferaudio aai aaiexpr',
    text: true,
  },
  catch: { children: executable, attributes: 'event count cond', text: true },
  noinput: { children: executable, attributes: 'count cond', text: true },
  nomatch: { children: executable, attributes: 'count cond', text: true },
  filled: { children: executable, attributes: 'mode namelist', text: true },
  if: { children: `${executable} elseif else`, attributes: 'cond!', text: true },
  prompt: {
    children: 'audio value break emphasis mark phoneme prosody say-as voice sub p s',
    attributes: 'bargein bargeintype cond count timeout xml:lang xml:base',
    text: true,
  },
  audio: {
    children: 'audio value break emphasis mark phoneme prosody say-as voice sub p s',
    attributes: `src expr ${cache}`,
    text: true,
  },
  break: { children: '', attributes: 'time strength' },
  goto: { children: '', attributes: `next expr nextitem expritem fetchaudio ${cache}` },
  submit: { children: '', attributes: `next expr method enctype namelist fetchaudio ${cache}` },
  exit: { children: '', attributes: 'expr namelist' },
  return: { children: '', attributes: 'namelist event eventexpr message messageexpr' },
  reprompt: { children: '', attributes: '' },
  grammar: {
    children: 'meta metadata lexicon tag rule',
    attributes: `version xml:lang mode root tag-format xml:base scope weight src srcexpr type ${cache}`,
  },
  rule: { children: 'one-of item ruleref token tag example', attributes: 'id! scope', text: true },
  'one-of': { children: 'item', attributes: 'xml:lang' },
  item: { children: 'one-of item ruleref token tag', attributes: 'repeat repeat-prob weight xml:lang', text: true },
  ruleref: { children: '', attributes: 'uri type special xml:lang' },
};

/** Forms of attributes' values. */
const values: Readonly<Record<string, RegExp>> = {
  version: /^(2\.1|1\.0)$/,
  beep: /^(true|false)$/,
  bargein: /^(true|false)$/,
  bridge: /^(true|false)$/,
  dtmfterm: /^(true|false)$/,
  maxtime: /^\d*\.?\d+(ms|s)$/,
  finalsilence: /^\d*\.?\d+(ms|s)$/,
  time: /^\d*\.?\d+(ms|s)$/,
  count: /^[1-9]\d*$/,
  method: /^(get|post)$/,
  mode: /^(dtmf|voice|all|any)$/,
  repeat: /^\d+(-\d*)?$/,
  // No reserved word, no property of a shadow variable.
  name: /^[A-Za-z]\w*$/,
};

export const vxmlNamespace = 'http://www.w3.org/2001/vxml';

/**
 * Parses a document as a browser of 2007 would: well-formed, in the namespace, nothing where it may not be, and every place and name that it
 * speaks of there.
 * @throws Error saying what is wrong
 */
export function parseVxml(xml: string): Element {
  const root = new DOMParser({
    onError: (level, message) => {
      throw new Error(`${level}: ${String(message)}`);
    },
  }).parseFromString(xml, 'text/xml').documentElement;
  if (root?.tagName !== 'vxml' || root.namespaceURI !== vxmlNamespace) throw new Error('no VoiceXML document');
  if (root.getAttribute('version') !== '2.1') throw new Error('not version 2.1');
  check(root);
  checkNames(root);
  return root;
}

function check(element: Element): void {
  const rule = Object.hasOwn(rules, element.tagName) ? rules[element.tagName] : undefined;
  const wrong = (what: string): never => {
    throw new Error(`<${element.tagName}> ${what}`);
  };
  if (rule === undefined || element.namespaceURI !== vxmlNamespace) return wrong('is no element of VoiceXML 2.1');
  const allowed = rule.attributes.split(' ');
  for (const { name, value } of [...element.attributes]) {
    if (!allowed.includes(name) && !allowed.includes(`${name}!`)) wrong(`has the attribute ${name}`);
    const form = element.tagName === 'property' ? undefined : values[name];
    if (form !== undefined && !form.test(value)) wrong(`has ${name}="${value}"`);
  }
  for (const name of allowed.filter((one) => one.endsWith('!'))) {
    if (!element.hasAttribute(name.slice(0, -1))) wrong(`lacks ${name}`);
  }
  for (const child of childElements(element)) {
    if (!rule.children.split(' ').includes(child.tagName)) wrong(`may not hold <${child.tagName}>`);
    check(child);
  }
  const text = [...element.childNodes].some(({ nodeType, nodeValue }) => nodeType === 3 && nodeValue?.trim() !== '');
  if (text && rule.text !== true) wrong('may not hold text');
}

/** Every form gone to, rule referred to and variable handed over is there, and every name is used once. */
function checkNames(root: Element): void {
  const all = [...root.getElementsByTagName('*')];
  const named = all.flatMap((one) => one.getAttribute('id') ?? []);
  if (new Set(named).size < named.length) throw new Error('two forms or rules of one id');
  const ids = all.filter(({ tagName }) => tagName === 'form').map((one) => one.getAttribute('id'));
  const variables = all
    .filter(({ tagName }) => ['var', 'field', 'record', 'transfer'].includes(tagName))
    .map((one) => one.getAttribute('name'));
  for (const one of all) {
    const next = one.getAttribute('next') ?? '';
    if (one.tagName === 'goto' && !ids.includes(next.replace(/^#/, '')))
      throw new Error(`goto ${next}: there is no such form`);
    for (const name of (one.getAttribute('namelist') ?? '').split(' ').filter((part) => part !== '')) {
      if (!variables.includes(name)) throw new Error(`namelist names ${name}, which is not declared`);
    }
    if (one.tagName === 'grammar') {
      const names = [...one.getElementsByTagName('rule')].map((rule) => rule.getAttribute('id'));
      const referred = [...one.getElementsByTagName('ruleref')].map(
        (ref) => ref.getAttribute('uri')?.replace(/^#/, '') ?? '',
      );
      for (const name of [one.getAttribute('root') ?? '', ...referred]) {
        if (!names.includes(name)) throw new Error(`a grammar has no rule ${name}`);
      }
    }
  }
}

export const childElements = (element: Element): Element[] =>
  [...element.childNodes].filter((node): node is Element => node.nodeType === 1);

/** A grammar as a pattern of the keys that it takes. */
export function grammarPattern(grammar: Element): RegExp {
  const rulesById = new Map(childElements(grammar).map((rule) => [rule.getAttribute('id') ?? '', rule]));
  const patternOf = (element: Element): string => {
    switch (element.tagName) {
      case 'ruleref':
        return inside(rulesById.get(element.getAttribute('uri')?.slice(1) ?? '') as Element);
      case 'one-of':
        return `(?:${childElements(element).map(patternOf).join('|')})`;
      default: {
        const [least, most] = (element.getAttribute('repeat') ?? '1').split('-');
        return `(?:${inside(element)}){${least}${most === undefined ? '' : `,${most}`}}`;
      }
    }
  };
  const inside = (element: Element): string =>
    childElements(element).length === 0
      ? (element.textContent ?? '').trim()
      : childElements(element).map(patternOf).join('');
  return new RegExp(`^${inside(rulesById.get(grammar.getAttribute('root') ?? '') as Element)}$`);
}
