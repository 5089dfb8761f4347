import type { Test } from 'tap';
import { defaultPolicy, type PolicyDocument } from '../../src/decision/policy.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import type { AnswerKind, Role } from '../../src/service/ports.js';
import { openHttp, type HttpHarness } from '../http/harness.js';
import { goodPin, recording, type Recording } from '../service/harness.js';
import type { TestIvrOptions } from './test-dialogues.js';
import {
  callBy,
  type BrowserAnswer,
  type BrowserRequest,
  type CallOutcome,
  type Spoken,
  type TestCaller,
} from './vxml-browser.js';

/** Dialogues served over HTTP to the test's browser. */
export interface IvrHarness extends HttpHarness {
  /** What a browser with that key sends; every request is kept in its outcome. */
  readonly sendBy: (apiKey: string) => (request: BrowserRequest) => Promise<BrowserAnswer>;
  /** A whole call with a fresh key of these roles, or that key. */
  readonly play: (path: string, caller: TestCaller, by?: PlayedBy) => Promise<CallOutcome>;
  /** Lets a changed policy judge. */
  readonly policy: (changes: Partial<PolicyDocument>) => Promise<void>;
}

/** Who plays a call. */
export interface PlayedBy {
  /** By default a fresh one that may verify and enrol. */
  readonly key?: string;
  /** Of the fresh key, by default opaque. */
  readonly answer?: AnswerKind;
  /** Null: the gateway does not name it. */
  readonly line?: string | null;
  /** What the operator posts to begin with, instead of a GET. */
  readonly first?: Readonly<Record<string, string>>;
}

export const allRoles: readonly Role[] = ['verifier', 'enroller'];

/** Opens it; it closes with the test. */
export async function openIvr(t: Test, options: TestIvrOptions = {}): Promise<IvrHarness> {
  const http = await openHttp(t, { ivr: options });
  const sendBy =
    (apiKey: string) =>
    async (request: BrowserRequest): Promise<BrowserAnswer> => {
      const { payload, headers } = bodyOf(request);
      const answer = await http.app.inject({
        method: request.method,
        url: request.path,
        headers: { ...headers, authorization: basic(apiKey) },
        ...(payload === null ? {} : { payload }),
      });
      return { status: answer.statusCode, contentType: String(answer.headers['content-type']), text: answer.body };
    };
  return {
    ...http,
    sendBy,
    play: async (path, caller, { key, answer = 'opaque', line = '13800000000', first } = {}) =>
      callBy(sendBy(key ?? (await http.key(allRoles, answer))), path, caller, {
        session: line === null ? {} : { connection: { remote: { uri: `tel:${line}` } } },
        ...(first === undefined ? {} : { first }),
      }),
    policy: async (changes) => {
      const { version } = await storePolicy(http.context, http.full, { ...defaultPolicy, ...changes });
      await activatePolicy(http.context, http.full, version);
    },
  };
}

/** The key as a basic password. */
export const basic = (apiKey: string): string => `Basic ${Buffer.from(`gateway:${apiKey}`).toString('base64')}`;

/** A request's body as browsers write it: recordings with a media type and no file name. */
export function bodyOf({ fields, multipart }: BrowserRequest): {
  readonly payload: Buffer | null;
  readonly headers: Record<string, string>;
} {
  if (fields === null) return { payload: null, headers: {} };
  if (!multipart) {
    const texts = Object.entries(fields).map(([name, value]): [string, string] => [name, value as string]);
    return {
      payload: Buffer.from(new URLSearchParams(texts).toString()),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
  }
  const boundary = 'vxml-browser-boundary';
  const parts = Object.entries(fields).map(([name, value]) => {
    const type = typeof value === 'string' ? '' : `content-type: ${value.type}\r\n`;
    return Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n${type}\r\n`),
      typeof value === 'string' ? Buffer.from(value) : value.content,
      Buffer.from('\r\n'),
    ]);
  });
  return {
    payload: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** The digits that were read out last, in either language. */
export function digitsHeard(heard: string): string {
  const line = heard.trim().split('\n').at(-1) ?? '';
  const words = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  const spoken = line.slice(line.lastIndexOf(':') + 1);
  const english = spoken.match(new RegExp(words.join('|'), 'g'));
  if (english !== null) return english.map((word) => words.indexOf(word)).join('');
  return [...line.slice(line.lastIndexOf('：') + 1)]
    .map((sign) => '零一二三四五六七八九'.indexOf(sign))
    .filter((digit) => digit >= 0)
    .join('');
}

/** Audio for the stand-in ears. */
export const spoken = (what: Recording): Spoken => ({
  content: recording(what).bytes as Buffer,
  type: 'audio/x-wav',
});

/** Somebody who answers every question. */
export function someone(
  accountId: string,
  how: {
    readonly pin?: string;
    readonly voice?: number;
    readonly keys?: Readonly<Record<string, string | null>>;
    readonly says?: (digits: string) => Partial<Recording> | null | 'hang up';
  } = {},
): TestCaller {
  const keys: Readonly<Record<string, string | null>> = {
    account: accountId,
    pin: how.pin ?? goodPin,
    oldPin: how.pin ?? goodPin,
    ...how.keys,
  };
  return {
    press: (field) => keys[field] ?? null,
    speak: (heard) => {
      const digits = digitsHeard(heard);
      const said = how.says === undefined ? {} : how.says(digits);
      return said === null || said === 'hang up'
        ? said
        : spoken({ voice: how.voice ?? 1, blur: 0.1, says: digits, ...said });
    },
  };
}
