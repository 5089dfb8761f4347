import { VoicegateError } from '../errors.js';

/** Runs work when it is its turn. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets `concurrency` pieces of work run at a time and `queueLimit` more wait, first come first served.
 * The returned function throws VoicegateError `busy` when the queue is full.
 */
export function createTurnstile(concurrency: number, queueLimit: number): Turnstile {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= concurrency) {
      if (waiting.length >= queueLimit) {
        throw new VoicegateError('busy', 'too many PINs are being checked', {
          hint: 'try again in a moment',
          retryAfterSeconds: 1,
        });
      }
      await new Promise<void>((go) => waiting.push(go));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      // The place passes to the next in line without ever becoming free, so nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
