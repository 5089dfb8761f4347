import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { mayListen } from './attempt.js';
import { pinNow } from './checked-pin.js';
import { lineHash, type Caller, type ServiceContext } from './context.js';
import { judge, type VerificationAnswer } from './judge.js';
import type { Tx } from './ports.js';
import { checkPin } from './proof.js';
import type { VerificationRequest } from './verification-request.js';
import { openVerification } from './verify-steps.js';

/**
 * The main job: decode, take the challenge, hear the voice, check the PIN, judge.
 *
 * Audio that cannot be decoded is refused before the challenge is touched. From then on the work is the same whoever calls: an account
 * that is unknown, not enrolled, without consent, opted out or locked costs the same network run (on noise, see `Listening`) and the
 * same PIN hash.
 * @param beforeCommit runs inside the deciding transaction, e.g. to store an idempotent answer with it
 * @throws VoicegateError audio codes, `busy`, `verification_unknown` or `conflict` for a bad `continues`, `database_unavailable`
 */
export async function verify(
  context: ServiceContext,
  caller: Caller,
  request: VerificationRequest,
  beforeCommit: (tx: Tx, answer: VerificationAnswer) => Promise<void> = async () => undefined,
): Promise<VerificationAnswer> {
  const laps = stopwatch();
  const line = lineHash(context, caller, request.call.lineNumber);
  const waveform = await context.ears.decode(request.audio);
  laps.mark('decode');
  const opened = await context.store.transaction(caller.tenantId, (tx) =>
    openVerification(context, caller, tx, request, line),
  );
  laps.mark('open');

  const listens = mayListen(opened);
  const [heard, pin] = opened.judged
    ? await Promise.all([
        context.ears.hear(waveform, {
          hears: listens ? 'caller' : 'decoy',
          modelId: opened.modelId,
          ...(opened.digits === null ? {} : { digitsIn: opened.language }),
          // While two models are loaded, time must not tell a stranger which of them was asked, or that none was.
          ...(caller.answer === 'opaque' ? { otherHears: 'decoy' } : {}),
        }),
        typeof request.pin === 'object' && request.pin !== null
          ? pinNow(context, request.pin, opened.pinHash)
          : checkPin(context, listens ? opened.pinHash : null, request.pin),
      ])
    : [null, 'not_checked' as const];
  laps.mark('listen');

  return judge(
    context,
    caller,
    {
      request,
      opened,
      line,
      heard,
      recordingSha256: sha256Of(waveform.samples),
      pin: request.pin === null ? null : pin,
      timingsMs: () => laps.taken(),
    },
    beforeCommit,
  );
}

function sha256Of({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest();
}

function stopwatch(): { mark(name: string): void; taken(): Readonly<Record<string, number>> } {
  const laps: Record<string, number> = {};
  let lastMs = performance.now();
  return {
    mark(name) {
      const nowMs = performance.now();
      laps[name] = Math.round((nowMs - lastMs) * 100) / 100;
      lastMs = nowMs;
    },
    taken: () => ({ ...laps }),
  };
}
