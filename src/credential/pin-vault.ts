import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { VoicegateError } from '../errors.js';
import { createTurnstile } from './turnstile.js';

/** argon2id (the library's number for it), 19 MiB, two passes, one lane: OWASP's first choice for password storage. */
const cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hashes and checks PINs; each check costs some 40 ms of one core and 19 MiB, so only so many run at once. */
export interface PinVault {
  /**
   * PHC string of a PIN with a fresh salt.
   * @throws VoicegateError `busy` when too many wait
   */
  hash(pin: string): Promise<string>;
  /**
   * Whether the PIN belongs to the hash. With no hash (no account, no PIN set) or one that is not readable the same work is done
   * and the answer is false, so that the time tells nothing.
   * @throws VoicegateError `busy` when too many wait
   */
  verify(pin: string, pinHash: string | null): Promise<boolean>;
}

export interface PinVaultOptions {
  /** Server-side secret that is mixed into every hash; without it a stolen table cannot be searched. At least 16 bytes. */
  readonly pepper: Uint8Array;
  /** Hashes at one time. */
  readonly concurrency: number;
  /** Callers that may wait for their turn; the next is answered `busy`. */
  readonly queueLimit: number;
}

/** Makes the vault and, once, the hash that stands in for accounts without a PIN. */
export async function createPinVault(options: PinVaultOptions): Promise<PinVault> {
  const { pepper, concurrency, queueLimit } = options;
  if (pepper.length < 16) {
    throw new VoicegateError('configuration_invalid', `the PIN pepper has ${pepper.length} bytes`, {
      hint: 'at least 16',
    });
  }
  const settings = { ...cost, secret: pepper };
  const inTurn = createTurnstile(concurrency, queueLimit);
  const standIn = await hash(randomBytes(16), settings);
  return {
    hash: (pin) => inTurn(() => hash(pin, settings)),
    verify: async (pin, pinHash) => {
      const usable = pinHash !== null && isArgon2(pinHash);
      const same = await inTurn(() => verify(usable ? pinHash : standIn, pin, { secret: pepper }));
      return usable && same;
    },
  };
}

/** Whether a stored text is an argon2 hash at all. */
function isArgon2(pinHash: string): boolean {
  try {
    parseOptions(pinHash);
    return true;
  } catch {
    return false;
  }
}
