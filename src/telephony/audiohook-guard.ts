import { randomBytes } from 'node:crypto';
import { defaultTenantId } from '../service/first-start.js';
import { madeWith, readSignature, SignatureFault, type SignedRequest } from './http-signature.js';

/** An API key that AudioHook connections may come with. */
export interface AudioHookKey {
  /** Signs the requests. */
  readonly secret: Uint8Array;
  /** Whose calls come with it; null: the tenant of the first start. */
  readonly tenantId: string | null;
}

/** Who signed a request. */
export interface Signer {
  readonly apiKey: string;
  readonly tenantId: string;
}

/** What AudioHook says that a signature has to cover. */
const required = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  'x-api-key',
];
const oldestSeconds = 10;
const skewSeconds = 3;
const shortestNonce = 22;

/** Lets in who signed with a known key, just now and for the first time; every refusal takes the same time at least. */
export class AudioHookGuard {
  /** Nonces of signatures that are still young enough, with the Unix seconds until then. */
  private readonly seen = new Map<string, number>();
  /** In place of the secret of a key that is not known. */
  private readonly noSecret = randomBytes(32);

  /**
   * @param onRefused told why, for the operator
   * @param refusalMs how long a refusal takes at least
   */
  constructor(
    private readonly keys: ReadonlyMap<string, AudioHookKey>,
    private readonly onRefused: (why: string) => void,
    private readonly now: () => number = () => Date.now() / 1000,
    private readonly refusalMs = 500,
  ) {}

  /** @returns who it was, or null */
  async check(request: SignedRequest): Promise<Signer | null> {
    const until = performance.now() + this.refusalMs;
    try {
      return this.signerOf(request);
    } catch (fault) {
      if (!(fault instanceof SignatureFault)) throw fault;
      this.onRefused(fault.message);
      // Timers count whole milliseconds and may be early by one.
      for (let leftMs = until - performance.now(); leftMs > 0; leftMs = until - performance.now()) {
        await new Promise((resolve) => setTimeout(resolve, Math.ceil(leftMs)));
      }
      return null;
    }
  }

  private signerOf(request: SignedRequest): Signer {
    const signature = readSignature(request);
    const { keyId, nonce, created, expires, alg, covers } = signature;
    const key = this.keys.get(keyId);
    const right = madeWith(key?.secret ?? this.noSecret, signature);
    const missing = required.filter((name) => !covers.includes(name));
    const now = this.now();
    if (request.headers['x-api-key'] !== keyId) throw new SignatureFault('X-API-KEY is not the key of the signature');
    if (missing.length > 0) throw new SignatureFault(`the signature does not cover ${missing.join(', ')}`);
    if (alg !== null && alg !== 'hmac-sha256')
      throw new SignatureFault('the algorithm of the signature is not hmac-sha256');
    if (nonce === null || nonce.length < shortestNonce)
      throw new SignatureFault('the nonce of the signature is too short');
    if (created === null || created > now + skewSeconds)
      throw new SignatureFault('the signature is of no time, or of the future');
    if (created < now - oldestSeconds - skewSeconds || (expires !== null && expires < now - skewSeconds)) {
      throw new SignatureFault('the signature is too old');
    }
    if (key === undefined || !right) throw new SignatureFault('the API key is not known, or its secret is another');
    this.spend(`${keyId} ${nonce}`, created + oldestSeconds + skewSeconds, now);
    return { apiKey: keyId, tenantId: key.tenantId ?? defaultTenantId };
  }

  /** Only who has a secret gets here, so nobody else can fill the list. */
  private spend(nonce: string, until: number, now: number): void {
    for (const [old, youngUntil] of this.seen) if (youngUntil < now) this.seen.delete(old);
    if (this.seen.has(nonce)) throw new SignatureFault('the signature was used before');
    this.seen.set(nonce, until);
  }
}
