import { VoicegateError } from '../errors.js';
import { requestFile, shownAddress } from './download-request.js';
import { fileSha256 } from './file-sha256.js';
import { discardPart, openPart, readPart, validatorOf, withRoom } from './part-file.js';

/** A file to be fetched. */
export interface DownloadOrder {
  readonly url: string;
  readonly allowHttp: boolean;
  /** Where the bytes go; one process at a time. What is there of an earlier try is gone on with. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Null: nobody knows; then at most `mostBytes`. */
  readonly bytes: number | null;
  readonly mostBytes: number;
  /** A server that sends nothing for so long is given up. */
  readonly stallMs: number;
  /** Called when the server has answered, with what was there before and the whole size, null where the server does not say. */
  readonly onStart: (already: number, total: number | null) => void;
  readonly onBytes: (done: number) => void;
}

/**
 * Fetches a file over HTTP, going on where an earlier try was cut, and checks its hash. When it returns, `path` is the file; when it throws,
 * `path` is a part to go on with, or nothing where what arrived is of no use.
 * @throws VoicegateError `download_failed` for what network, server or disk did; `model_invalid` when the file is not the one wanted;
 *   `invalid_request` for an address that is not fetched from
 */
export async function download(order: DownloadOrder): Promise<void> {
  const part = await readPart(order.path);
  const stall = stallWatch(order);
  try {
    const range = part.validator === null || part.bytes === 0 ? {} : rangeHeaders(part.bytes, part.validator);
    let response = await requestFile({ ...order, headers: range, signal: stall.signal });
    if (response.status === 416) {
      // The part is no part of what the server has; or it was whole already, and then its hash would be right.
      await response.body?.cancel();
      if ((await fileSha256(order.path)) === order.sha256) return;
      await discardPart(order.path);
      response = await requestFile({ ...order, headers: {}, signal: stall.signal });
    }
    await receive(order, response, response.status === 206 ? part.bytes : 0, stall);
  } finally {
    stall.end();
  }
  const found = await fileSha256(order.path);
  if (found === order.sha256) return;
  await discardPart(order.path);
  throw new VoicegateError('model_invalid', `sha256 of what ${shownAddress(order.url)} gave is ${found}, expected ${order.sha256}`, {
    hint: 'It is another file, or it was changed on the way; nothing of it is kept',
  });
}

const rangeHeaders = (from: number, validator: string): Record<string, string> => ({
  range: `bytes=${from}-`,
  'if-range': validator,
});

/** Writes an answer's body behind the bytes that are kept. */
async function receive(order: DownloadOrder, response: Response, kept: number, stall: Stall): Promise<void> {
  const total = totalOf(response, kept);
  if (response.headers.get('content-type')?.startsWith('text/html') === true) {
    await refuse(response, `${shownAddress(order.url)} is a page, not a file`);
  }
  if (order.bytes !== null && total !== null && total !== order.bytes) {
    await refuse(response, `the server has ${total} bytes, the catalogue says ${order.bytes}`);
  }
  const most = order.bytes ?? order.mostBytes;
  if ((total ?? 0) > most) await refuse(response, `the server has ${total ?? 0} bytes, more than ${most} are not taken`);

  const handle = await openPart(order.path, kept, validatorOf(response.headers));
  let done = kept;
  try {
    order.onStart(kept, total ?? order.bytes);
    for await (const piece of bodyOf(response, stall, (cause) => cut(done, total, cause))) {
      done += piece.length;
      if (done > most) break;
      await withRoom(order.path, () => handle.write(piece));
      stall.alive();
      order.onBytes(done);
    }
    await withRoom(order.path, () => handle.sync());
  } finally {
    await handle.close();
  }
  if (done > most) {
    await discardPart(order.path);
    throw new VoicegateError('download_failed', `the server sends more than ${most} bytes`, { hint: another });
  }
  const whole = total ?? order.bytes;
  if (whole !== null && done < whole) throw cut(done, whole);
}

const another = 'Is it the file? Give another address with --url';

/** The pieces of a body; a fault of the network becomes ours. */
async function* bodyOf(
  response: Response,
  stall: Stall,
  fault: (cause: unknown) => VoicegateError,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of response.body ?? []) yield piece as Uint8Array;
  } catch (cause) {
    throw stall.signal.aborted ? stall.signal.reason : fault(cause);
  }
}

/** Size of the whole file, as the answer says it. @throws VoicegateError `download_failed` where the answer goes on at another place */
function totalOf({ status, headers }: Response, kept: number): number | null {
  if (status === 200) {
    const length = headers.get('content-length');
    return length === null ? null : Number(length);
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (range === null || Number(range[1]) !== kept) {
    throw new VoicegateError('download_failed', `asked to go on at byte ${kept}, the server goes on elsewhere`, { hint: another });
  }
  return range[2] === '*' ? null : Number(range[2]);
}

async function refuse(response: Response, reason: string): Promise<never> {
  await response.body?.cancel();
  throw new VoicegateError('download_failed', reason, { hint: another });
}

function cut(done: number, total: number | null, cause?: unknown): VoicegateError {
  const of = total === null ? '' : ` of ${total}`;
  return new VoicegateError('download_failed', `the connection was cut after ${done}${of} bytes`, {
    hint: goesOn,
    ...(cause === undefined ? {} : { cause }),
  });
}

const goesOn = 'What arrived is kept: the same command goes on from there';

interface Stall {
  readonly signal: AbortSignal;
  alive(): void;
  end(): void;
}

/** Gives up when nothing has come for a while. */
function stallWatch({ stallMs, url }: DownloadOrder): Stall {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const host = new URL(url).host;
    controller.abort(
      new VoicegateError('download_failed', `${host} sent nothing for ${stallMs / 1000} s`, {
        hint: goesOn,
      }),
    );
  }, stallMs);
  return { signal: controller.signal, alive: () => void timer.refresh(), end: () => clearTimeout(timer) };
}
