import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isInnerList, parseDictionary, serializeInnerList, serializeItem, type Dictionary } from 'structured-headers';

declare global {
  /** The types of `structured-headers` name it, and it is a browser's. */
  type BufferSource = ArrayBufferView | ArrayBuffer;
}

/** A request as its sender named it. */
export interface SignedRequest {
  readonly headers: IncomingHttpHeaders;
  /** Path and query. */
  readonly requestTarget: string;
  /** Host, with its port where it is not the scheme's own. */
  readonly authority: string;
}

/** A signature of a request with what it is made over: read, not checked. */
export interface HttpSignature {
  readonly keyId: string;
  readonly nonce: string | null;
  /** Unix seconds. */
  readonly created: number | null;
  readonly expires: number | null;
  readonly alg: string | null;
  /** Names of the components that it covers. */
  readonly covers: readonly string[];
  readonly bytes: Uint8Array;
  /** What is signed. */
  readonly base: string;
}

/** Why a signature is not taken: for the operator, never for the sender. */
export class SignatureFault extends Error {}

/**
 * Reads the first signature of a request: HTTP Message Signatures (RFC 9421, and the draft 11 that AudioHook names, which is the same here) over
 * header fields, `@request-target` and `@authority`.
 * @throws SignatureFault when there is none, or it is made over something else
 */
export function readSignature(request: SignedRequest): HttpSignature {
  const [first] = dictionaryIn(request.headers, 'signature-input');
  if (first === undefined) throw new SignatureFault('the request is not signed');
  const [label, input] = first;
  const signature = dictionaryIn(request.headers, 'signature').get(label)?.[0];
  if (!isInnerList(input) || !(signature instanceof ArrayBuffer)) {
    throw new SignatureFault('Signature-Input or Signature is not of its form');
  }
  const [components, parameters] = input;
  const covers: string[] = [];
  const lines = components.map((component) => {
    const [name, more] = component;
    if (typeof name !== 'string' || more.size > 0 || covers.includes(name)) {
      throw new SignatureFault('a component of the signature is no plain name, or is there twice');
    }
    covers.push(name);
    return `${serializeItem(component)}: ${valueOf(request, name)}`;
  });
  const text = (name: string): string | null => {
    const value = parameters.get(name) ?? null;
    if (value === null || typeof value === 'string') return value;
    throw new SignatureFault(`${name} of the signature is no string`);
  };
  const seconds = (name: string): number | null => {
    const value = parameters.get(name) ?? null;
    if (value === null || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw new SignatureFault(`${name} of the signature is no time`);
  };
  return {
    keyId: text('keyid') ?? '',
    nonce: text('nonce'),
    alg: text('alg'),
    created: seconds('created'),
    expires: seconds('expires'),
    covers,
    bytes: new Uint8Array(signature),
    // Written anew from what was understood: nothing that was read over can hide in it.
    base: [...lines, `"@signature-params": ${serializeInnerList(input)}`].join('\n'),
  };
}

/** Whether a signature was made with a secret (`hmac-sha256`). Takes the same time whatever it finds. */
export function madeWith(secret: Uint8Array, { base, bytes }: HttpSignature): boolean {
  const right = createHmac('sha256', secret).update(base).digest();
  return (
    timingSafeEqual(right, bytes.length === right.length ? bytes : Buffer.alloc(right.length)) &&
    bytes.length === right.length
  );
}

function dictionaryIn(headers: IncomingHttpHeaders, name: string): Dictionary {
  try {
    return parseDictionary(fieldOf(headers, name) ?? '');
  } catch {
    throw new SignatureFault(`${name} is no dictionary of structured fields`);
  }
}

function fieldOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
}

function valueOf({ headers, requestTarget, authority }: SignedRequest, name: string): string {
  if (name === '@request-target') return requestTarget;
  if (name === '@authority') return authority;
  const value = name.startsWith('@') ? null : fieldOf(headers, name);
  if (value === null) throw new SignatureFault(`the signature is over ${JSON.stringify(name)}, which is not there`);
  return value;
}
