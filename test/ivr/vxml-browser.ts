import { runInNewContext } from 'node:vm';
import type { Element } from '@xmldom/xmldom';
import { childElements, grammarPattern, parseVxml } from './vxml-rules.js';

/** A recording as a browser sends it. */
export interface Spoken {
  readonly content: Buffer;
  readonly type: string;
}

/** What the caller does, asked each time: keys or speech, `hang up`, or null for nothing until the browser gives up waiting. */
export interface TestCaller {
  /** @param field the name of the field; @param heard everything said since the last answer */
  readonly press: (field: string, heard: string) => string | null;
  readonly speak: (heard: string) => Spoken | null | 'hang up';
}

/** A request of the browser. */
export interface BrowserRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Fields by name; null: nothing is sent. */
  readonly fields: Readonly<Record<string, string | Spoken>> | null;
  readonly multipart: boolean;
}

export interface BrowserAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** How a call ended. */
export interface CallOutcome {
  readonly how: 'exit' | 'return' | 'transfer' | 'hung up' | 'no document';
  /** What was handed to the gateway. */
  readonly result: Readonly<Record<string, string>>;
  readonly transferredTo: string | null;
  readonly heard: readonly string[];
  readonly documents: readonly string[];
  readonly requests: readonly BrowserRequest[];
  readonly statuses: readonly number[];
}

/** An event, and the end of a document: what stops the running of content. */
class Event extends Error {
  constructor(readonly event: string) {
    super(event);
  }
}
type Jump =
  | { readonly kind: 'form'; readonly id: string }
  | { readonly kind: 'submit'; readonly element: Element }
  | { readonly kind: 'over'; readonly how: 'exit' | 'return'; readonly result: Readonly<Record<string, string>> }
  | { readonly kind: 'again' };

/**
 * A small VoiceXML 2.1 browser, written from the W3C's description: form interpretation (appendix C of 2.0) of blocks, fields with keys,
 * recordings and blind transfers; events with counters; submit in both encodings. Documents are checked before they are run.
 * @param options.session what scripts find as `session`
 * @param options.first fields to open the dialogue with, by POST
 */
export async function callBy(
  send: (request: BrowserRequest) => Promise<BrowserAnswer>,
  path: string,
  caller: TestCaller,
  { session = {}, first }: { readonly session?: object; readonly first?: Readonly<Record<string, string>> } = {},
): Promise<CallOutcome> {
  const browser = new Browser(send, caller, session);
  return browser.run({ method: first === undefined ? 'GET' : 'POST', path, fields: first ?? null, multipart: false });
}

class Browser {
  private readonly heard: string[] = [];
  private readonly documents: string[] = [];
  private readonly requests: BrowserRequest[] = [];
  private readonly statuses: number[] = [];
  private since = '';
  private hungUp = false;
  private transferredTo: string | null = null;
  private base = '';
  private root: Element | null = null;
  private variables: Record<string, unknown> = {};
  private counters = new Map<string, number>();

  constructor(
    private readonly send: (request: BrowserRequest) => Promise<BrowserAnswer>,
    private readonly caller: TestCaller,
    private readonly session: object,
  ) {}

  async run(first: BrowserRequest): Promise<CallOutcome> {
    if (!(await this.load(first))) return this.outcome('no document', {});
    let form = this.forms()[0] as Element;
    for (let steps = 0; steps < 200; steps++) {
      const jump = await this.interpret(form);
      switch (jump.kind) {
        case 'over':
          return this.outcome(
            this.transferredTo !== null ? 'transfer' : this.hungUp ? 'hung up' : jump.how,
            jump.result,
          );
        case 'form':
          form = this.forms().find((one) => one.getAttribute('id') === jump.id) as Element;
          break;
        case 'submit':
          form = await this.submitted(jump.element, form);
          break;
        case 'again':
          break;
      }
    }
    throw new Error('the dialogue does not end');
  }

  private outcome(how: CallOutcome['how'], result: CallOutcome['result']): CallOutcome {
    const { transferredTo, heard, documents, requests, statuses } = this;
    return { how, result, transferredTo, heard, documents, requests, statuses };
  }

  private async load(request: BrowserRequest): Promise<boolean> {
    this.requests.push(request);
    const { status, contentType, text } = await this.send(request);
    this.statuses.push(status);
    if (status !== 200) return false;
    if (!contentType.startsWith('application/voicexml+xml')) throw new Error(`a document of type ${contentType}`);
    this.documents.push(text);
    const root = parseVxml(text);
    this.base = request.path;
    this.root = root;
    this.variables = {};
    this.counters = new Map();
    for (const one of childElements(root)) if (one.tagName === 'var') this.declare(one);
    return true;
  }

  private forms(): Element[] {
    return childElements(this.root as Element).filter(({ tagName }) => tagName === 'form');
  }

  private declare(one: Element): void {
    const expr = one.getAttribute('expr');
    this.variables[one.getAttribute('name') ?? ''] = expr === null ? undefined : this.evaluate(expr);
  }

  private evaluate(expr: string): unknown {
    return runInNewContext(expr, { ...this.variables, session: this.session });
  }

  private async submitted(submit: Element, form: Element): Promise<Element> {
    const names = (submit.getAttribute('namelist') ?? '').split(' ');
    const fields = Object.fromEntries(
      names.map((name) => {
        const value = this.variables[name];
        return [name, typeof value === 'object' && value !== null ? (value as Spoken) : String(value)];
      }),
    );
    const { pathname } = new URL(submit.getAttribute('next') ?? '', `http://gateway${this.base}`);
    const multipart = submit.getAttribute('enctype') === 'multipart/form-data';
    const loaded = await this.load({ method: 'POST', path: pathname, fields, multipart });
    if (loaded) return this.forms()[0] as Element;
    const jump = await this.handle(form, null, `error.badfetch.http.${this.statuses.at(-1)}`);
    if (jump.kind !== 'form') throw new Error('a failed fetch is not handled by a form');
    return this.forms().find((one) => one.getAttribute('id') === jump.id) as Element;
  }

  /** Visits the items of a form in their order. */
  private async interpret(form: Element): Promise<Jump> {
    for (const item of childElements(form)) {
      if (item.tagName === 'var') this.declare(item);
      if (['field', 'record', 'transfer'].includes(item.tagName))
        this.variables[item.getAttribute('name') ?? ''] ??= undefined;
    }
    for (const item of childElements(form)) {
      if (item.tagName === 'block') {
        const jump = await this.guarded(form, item, async () => this.execute(childElements(item)));
        if (jump !== null) return jump;
      }
      if (!['field', 'record', 'transfer'].includes(item.tagName)) continue;
      while (this.variables[item.getAttribute('name') ?? ''] === undefined) {
        const jump = await this.guarded(form, item, async () => this.collect(item));
        if (jump !== null && jump.kind !== 'again') return jump;
      }
    }
    throw new Error('a form ends without going on');
  }

  private async guarded(form: Element, item: Element, work: () => Promise<Jump | null>): Promise<Jump | null> {
    try {
      return await work();
    } catch (fault) {
      if (!(fault instanceof Event)) throw fault;
      return this.handle(form, item, fault.event);
    }
  }

  private async collect(item: Element): Promise<Jump | null> {
    if (this.hungUp) throw new Event('connection.disconnect.hangup');
    for (const one of childElements(item)) if (one.tagName === 'prompt') this.say(one);
    const name = item.getAttribute('name') ?? '';
    const { since } = this;
    this.since = '';
    if (item.tagName === 'transfer') {
      this.transferredTo = item.getAttribute('dest');
      throw new Event('connection.disconnect.transfer');
    }
    const given = item.tagName === 'field' ? this.caller.press(name, since) : this.caller.speak(since);
    if (given === 'hang up') {
      this.hungUp = true;
      throw new Event('connection.disconnect.hangup');
    }
    if (given === null) throw new Event('noinput');
    if (typeof given === 'string') {
      const grammars = childElements(item).filter(({ tagName }) => tagName === 'grammar');
      if (!grammars.some((grammar) => grammarPattern(grammar).test(given))) throw new Event('nomatch');
    }
    this.variables[name] = given;
    const filled = childElements(item).find(({ tagName }) => tagName === 'filled');
    return filled === undefined ? null : this.execute(childElements(filled));
  }

  /** The handler nearest to the item, of the highest count that is reached. */
  private async handle(form: Element, item: Element | null, event: string): Promise<Jump> {
    const key = `${item?.getAttribute('name') ?? ''} ${event}`;
    const count = (this.counters.get(key) ?? 0) + 1;
    this.counters.set(key, count);
    for (const scope of [item, form, this.root]) {
      const fitting = (scope === null ? [] : childElements(scope))
        .filter((one) => eventsOf(one).some((name) => event === name || event.startsWith(`${name}.`)))
        .map((one) => ({ one, from: Number(one.getAttribute('count') ?? 1) }))
        .filter(({ from }) => from <= count)
        .sort((a, b) => b.from - a.from);
      if (fitting[0] !== undefined) return (await this.execute(childElements(fitting[0].one))) ?? { kind: 'again' };
    }
    throw new Error(`nobody handles ${event}`);
  }

  private async execute(content: readonly Element[]): Promise<Jump | null> {
    for (const one of content) {
      switch (one.tagName) {
        case 'prompt':
          this.say(one);
          break;
        case 'reprompt':
          return { kind: 'again' };
        case 'goto':
          return { kind: 'form', id: one.getAttribute('next')?.slice(1) ?? '' };
        case 'submit':
          return { kind: 'submit', element: one };
        case 'if': {
          const jump =
            this.evaluate(one.getAttribute('cond') ?? '') === true ? await this.execute(childElements(one)) : null;
          if (jump !== null) return jump;
          break;
        }
        case 'exit':
        case 'return': {
          const names = (one.getAttribute('namelist') ?? '').split(' ');
          const result = Object.fromEntries(names.map((name) => [name, String(this.variables[name])]));
          return { kind: 'over', how: one.tagName, result };
        }
        default:
          throw new Error(`this browser cannot ${one.tagName}`);
      }
    }
    return null;
  }

  private say(prompt: Element): void {
    if (this.hungUp) return;
    const text = (prompt.textContent ?? '').trim();
    if (text === '') return;
    this.heard.push(text);
    this.since += `${text}\n`;
  }
}

const eventsOf = (handler: Element): string[] =>
  handler.tagName === 'catch' ? (handler.getAttribute('event') ?? '').split(' ') : [handler.tagName];
