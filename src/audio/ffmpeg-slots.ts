import { VoicegateError } from '../errors.js';

let running = 0;
const waiting = new Set<() => void>();

/**
 * Runs the work when fewer than `limit` others of this process run, first come first served, so that a burst of compressed
 * uploads does not become as many processes.
 *
 * @param stop gives up waiting
 * @throws VoicegateError busy when the time limit of the recording passed in the queue; the reason of `stop` otherwise
 */
export async function withFfmpegSlot<T>(limit: number, stop: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (running < limit) running++;
  else await turn(stop);
  try {
    return await work();
  } finally {
    const [next] = waiting;
    if (next === undefined) running--;
    else next();
  }
}

/** Waits until somebody who is done passes the slot on: the count of running ones stays. */
async function turn(stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onStop = (): void => {
      waiting.delete(mine);
      reject(gaveUp(stop.reason));
    };
    const mine = (): void => {
      waiting.delete(mine);
      stop.removeEventListener('abort', onStop);
      resolve();
    };
    waiting.add(mine);
    stop.addEventListener('abort', onStop, { once: true });
  });
}

function gaveUp(reason: unknown): Error {
  if (reason instanceof VoicegateError && reason.code === 'audio_decode_timeout') {
    return new VoicegateError('busy', 'Too many compressed recordings are being decoded.', {
      hint: 'Try again shortly, or send WAV or G.711, which need no decoder.',
      retryAfterSeconds: 1,
    });
  }
  return reason instanceof Error ? reason : new Error('aborted');
}
