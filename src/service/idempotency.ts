import { VoicegateError } from '../errors.js';
import { keyedHash } from '../ops/secrets.js';
import type { Caller, ServiceContext } from './context.js';
import type { VerificationRequest } from './verification-request.js';
import type { VerificationAnswer } from './judge.js';
import { verify } from './verify.js';

/** What the edge sends, and sends again when the same key comes again. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** An unfinished request older than this died with its process: it decided nothing, since deciding and answering are one transaction. */
const abandonedAfterMs = 60_000;

/**
 * `verify`, honouring an idempotency key: the answer is stored in the deciding transaction and given again for the same request.
 * @param key as the client chose it; null: plain `verify`
 * @param render turns the answer into what is sent
 * @throws VoicegateError `idempotency_mismatch` when the key came with another request, `conflict` while the first is being worked on,
 *   and those of `verify`
 */
export async function verifyOnce(
  context: ServiceContext,
  caller: Caller,
  key: string | null,
  request: VerificationRequest,
  render: (answer: VerificationAnswer) => StoredAnswer,
): Promise<StoredAnswer> {
  if (key === null) return render(await verify(context, caller, request));
  const apiKeyId = caller.apiKeyId ?? 'command-line';
  const { audio, ...facts } = request;
  const requestSha256 = keyedHash(
    context.hashKey,
    'request',
    JSON.stringify({ ...facts, contentType: audio.contentType, channel: audio.channel }),
    audio.bytes,
  );
  const earlier = await context.store.transaction(caller.tenantId, async (tx) => {
    const now = context.now();
    const row = { apiKeyId, idempotencyKey: key, requestSha256, response: null, createdAt: now };
    const found = await tx.idempotency.begin(row);
    if (found === null || found.response !== null || now.getTime() - found.createdAt.getTime() < abandonedAfterMs) {
      return found;
    }
    await tx.idempotency.forget(apiKeyId, key);
    return tx.idempotency.begin(row);
  });
  if (earlier !== null) {
    if (!requestSha256.equals(earlier.requestSha256)) {
      throw new VoicegateError('idempotency_mismatch', 'This Idempotency-Key came before with another request', {
        hint: 'Use a new key for a new request, and the same body for a repeated one',
      });
    }
    if (earlier.response === null) {
      throw new VoicegateError('conflict', 'The first request with this Idempotency-Key is still being worked on', {
        hint: 'Ask again in a moment',
        retryAfterSeconds: 1,
      });
    }
    return earlier.response;
  }
  try {
    const answer = await verify(context, caller, request, (tx, made) =>
      tx.idempotency.finish(apiKeyId, key, render(made)),
    );
    return render(answer);
  } catch (fault) {
    await context.store
      .transaction(caller.tenantId, (tx) => tx.idempotency.forget(apiKeyId, key))
      .catch(() => undefined);
    throw fault;
  }
}
