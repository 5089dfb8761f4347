import { decide } from '../decision/decide.js';
import type { Evidence } from '../decision/evidence.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Decision } from '../decision/reasons.js';
import { keyedHash } from '../ops/secrets.js';
import type { ServiceContext } from './context.js';
import type { Heard } from './listen.js';
import type { VerificationRequest } from './verification-request.js';

/**
 * What an `opaque` key is answered for an account that has no voice to compare: the decision that an enrolled account would get if a
 * stranger called it with a wrong PIN. The stranger's LLR is drawn from the calibration's distribution for different speakers, the same
 * for the same challenge, so that answers are spread as real ones are. The record keeps the true reason.
 * @returns the decision to answer and record, and the one to count on the attempt ladder, which moves as a real account's would
 */
export function answeredAsDecoy(
  context: ServiceContext,
  request: VerificationRequest,
  evidence: Evidence,
  heard: Heard | null,
  honest: Decision,
  policy: PolicyDocument,
): { readonly decision: Decision; readonly counted: Decision } {
  const pretended: Evidence = {
    ...evidence,
    account: 'enrolled',
    pin: request.pin === null ? 'missing' : evidence.challenge === 'valid' ? 'wrong' : 'not_checked',
    voice:
      heard === null || heard.embedding === null
        ? { kind: 'not_compared' }
        : {
            kind: 'compared',
            cosine: 0,
            llr: strangersLlr(context, request.challengeId),
            modelId: context.ears.modelId,
            calibrationVersion: context.calibration.version,
            voiceprintAgeSeconds: Number.MAX_SAFE_INTEGER,
            voiceprintReplacedAnother: false,
          },
  };
  const counted = decide(pretended, policy, request.tier);
  const kind = counted.kind === 'ACCEPT' ? 'REJECT' : counted.kind;
  return { decision: { kind, reasons: honest.reasons }, counted: { kind, reasons: counted.reasons } };
}

/** A draw from the normal distribution of different speakers' LLRs (Box–Muller on two keyed uniform numbers). */
function strangersLlr(context: ServiceContext, challengeId: string): number {
  const bytes = keyedHash(context.hashKey, 'decoy', challengeId);
  const [first, second] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)].map((word) => (word + 1) / (2 ** 32 + 1));
  const standard = Math.sqrt(-2 * Math.log(first ?? 0.5)) * Math.cos(2 * Math.PI * (second ?? 0.5));
  const { meanLlr, sdLlr } = context.calibration.nontarget;
  return meanLlr + sdLlr * standard;
}
