import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VoicegateError } from '../errors.js';

/** The process's secrets. Each use has a key of its own, derived with HKDF, so that one leaking says nothing of another. */
export interface Secrets {
  /** Goes into every PIN hash, 32 bytes. */
  readonly pinPepper: Buffer;
  /** Seals audit entries and signs heads, 32 bytes. */
  readonly auditKey: Buffer;
  /** Keys the hashes of lines, opted-out accounts and idempotent requests, 32 bytes. */
  readonly hashKey: Buffer;
}

/** What `loadSecrets` did, for a notice to the operator. Never the secret itself. */
export interface SecretNotice {
  readonly name: string;
  readonly path: string;
}

/**
 * Takes the secrets from the configuration or makes them once in the data folder (mode 0600).
 * Two processes starting at once agree on one value: the file appears by an atomic link.
 * @throws VoicegateError `configuration_invalid` when a secret file is malformed or readable by others
 */
export async function loadSecrets(options: {
  readonly dataDir: string;
  readonly pinPepperHex: string | null;
  readonly auditKeyHex: string | null;
  readonly onCreated: (notice: SecretNotice) => void;
}): Promise<Secrets> {
  const fromFile = async (name: string): Promise<Buffer> => readOrMake(options.dataDir, name, options.onCreated);
  const pinPepper =
    options.pinPepperHex === null ? await fromFile('pin-pepper') : Buffer.from(options.pinPepperHex, 'hex');
  const auditKey = options.auditKeyHex === null ? await fromFile('audit-key') : Buffer.from(options.auditKeyHex, 'hex');
  const hashKey = Buffer.from(hkdfSync('sha256', auditKey, Buffer.alloc(0), 'voicegate keyed hashes', 32));
  return { pinPepper, auditKey, hashKey };
}

async function readOrMake(dataDir: string, name: string, onCreated: (notice: SecretNotice) => void): Promise<Buffer> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, name);
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  if (!(await exists(path))) {
    await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    try {
      await link(draft, path);
      await chmod(path, 0o600);
      onCreated({ name, path });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    } finally {
      await unlink(draft);
    }
  }
  if (((await stat(path)).mode & 0o077) !== 0) {
    throw new VoicegateError('configuration_invalid', `${path} can be read by others`, { hint: `chmod 600 ${path}` });
  }
  const hex = (await readFile(path, 'utf8')).trim();
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw new VoicegateError('configuration_invalid', `${path} does not hold 64 hex digits`, {
      hint: 'Restore the file from a backup: what was made with the lost secret cannot be checked with a new one',
    });
  }
  return Buffer.from(hex, 'hex');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * HMAC-SHA-256 of parts under a key, each part preceded by its length so that no two lists collide.
 * @returns 32 bytes
 */
export function keyedHash(key: Uint8Array, purpose: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of [purpose, ...parts]) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return hmac.digest();
}
