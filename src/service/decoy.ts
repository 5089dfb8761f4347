import { decide } from '../decision/decide.js';
import type { Evidence } from '../decision/evidence.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Decision } from '../decision/reasons.js';
import { keyedHash } from '../ops/secrets.js';
import { scoreVoice, type Scorer } from '../scoring/score-voice.js';
import type { Attempt } from './attempt.js';
import { scorerOf, type Caller, type ServiceContext } from './context.js';

/**
 * What an `opaque` key is answered for an account that has no voice to compare: the decision that an enrolled account would get if a
 * stranger called it with a wrong PIN. The stranger's LLR is drawn from the calibration's distribution for different speakers. As real
 * scores do, it belongs to the account and the recording: saying the same again is answered the same again. The record keeps the true
 * reason.
 * @returns the decision to answer and record, and the one to count on the attempt ladder, which moves as a real account's would
 */
export function answeredAsDecoy(
  context: ServiceContext,
  caller: Caller,
  attempt: Attempt,
  evidence: Evidence,
  honest: Decision,
  policy: PolicyDocument,
): { readonly decision: Decision; readonly counted: Decision } {
  const { request, heard } = attempt;
  const scorer = scorerOf(context, heard?.embedding?.modelId ?? context.ears.modelIds[0]);
  const pretended: Evidence = {
    ...evidence,
    account: 'enrolled',
    pin: attempt.pin === null ? 'missing' : attempt.opened.judged ? 'wrong' : 'not_checked',
    voice:
      heard === null || heard.embedding === null
        ? { kind: 'not_compared' }
        : {
            kind: 'compared',
            // A comparison is made, of the noise with itself, for the time it takes.
            ...scoreVoice({ enrolment: heard.embedding, test: { ...heard.embedding, snrDb: null } }, scorer),
            llr: strangersLlr(context, caller, attempt, scorer),
            modelId: heard.embedding.modelId,
            calibrationVersion: scorer.calibration.version,
            voiceprintAgeSeconds: Number.MAX_SAFE_INTEGER,
            voiceprintReplacedAnother: false,
          },
  };
  const counted = decide(pretended, policy, request.tier);
  const kind = counted.kind === 'ACCEPT' ? 'REJECT' : counted.kind;
  return { decision: { kind, reasons: honest.reasons }, counted: { kind, reasons: counted.reasons } };
}

/**
 * Half of the variance is the account's, half the recording's: one voice heard twice scores alike on a real account, two voices do not,
 * and a decoy cannot tell which of both it hears.
 */
function strangersLlr(
  context: ServiceContext,
  caller: Caller,
  { request, recordingSha256 }: Attempt,
  { calibration }: Scorer,
): number {
  const draw = (...of: (string | Uint8Array)[]): number =>
    standardNormal(keyedHash(context.hashKey, 'decoy', caller.tenantId, request.accountId, ...of));
  const { meanLlr, sdLlr } = calibration.nontarget;
  return meanLlr + sdLlr * Math.SQRT1_2 * (draw() + draw(recordingSha256));
}

/** A standard normal number made of 8 uniform bytes (Box–Muller). */
function standardNormal(bytes: Buffer): number {
  const uniform = (offset: number): number => (bytes.readUInt32BE(offset) + 1) / (2 ** 32 + 1);
  return Math.sqrt(-2 * Math.log(uniform(0))) * Math.cos(2 * Math.PI * uniform(4));
}
