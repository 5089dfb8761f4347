import { notPerformed, type PhraseResult } from '../challenge/phrase.js';
import { decide } from '../decision/decide.js';
import type { Evidence } from '../decision/evidence.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Decision } from '../decision/reasons.js';
import { keyedHash } from '../ops/secrets.js';
import { scoreVoice, type Scorer } from '../scoring/score-voice.js';
import type { Attempt } from './attempt.js';
import { scorerOf, type Caller, type ServiceContext } from './context.js';
import type { Heard } from './listen.js';
import { withFused } from './verify-steps.js';

/**
 * What an `opaque` key is answered for an account that has no voice to compare: the decision that an enrolled account would get if a
 * stranger called it with a wrong PIN and read the digits out. The stranger's LLR is drawn from the calibration's distribution for
 * different speakers. As real scores do, it belongs to the account and the recording: saying the same again is answered the same again. The record keeps the true
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
  const pretended = withFused(context, {
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
            llr: strangersLlr(context, caller, request.accountId, attempt.recordingSha256, scorer),
            modelId: heard.embedding.modelId,
            calibrationVersion: scorer.calibration.version,
            voiceprintAgeSeconds: Number.MAX_SAFE_INTEGER,
            voiceprintReplacedAnother: false,
          },
    phrase: strangersPhrase(context, caller, attempt),
  });
  const counted = decide(pretended, policy, request.tier);
  const kind = counted.kind === 'ACCEPT' ? 'REJECT' : counted.kind;
  return { decision: { kind, reasons: honest.reasons }, counted: { kind, reasons: counted.reasons } };
}

/** The LLR that a call of a decoy is stopped by, as a stranger's would be; null where there is too little speech. */
export function pretendedLlr(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  recordingSha256: Uint8Array,
  { embedding }: Heard,
): number | null {
  if (embedding === null) return null;
  return strangersLlr(context, caller, accountId, recordingSha256, scorerOf(context, embedding.modelId));
}

/**
 * Half of the variance is the account's, half the recording's: one voice heard twice scores alike on a real account, two voices do not,
 * and a decoy cannot tell which of both it hears.
 */
function strangersLlr(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  recordingSha256: Uint8Array,
  { calibration }: Scorer,
): number {
  const draw = (...of: (string | Uint8Array)[]): number =>
    standardNormal(keyedHash(context.hashKey, 'decoy', caller.tenantId, accountId, ...of));
  const { meanLlr, sdLlr } = calibration.nontarget;
  return meanLlr + sdLlr * Math.SQRT1_2 * (draw() + draw(recordingSha256));
}

/** Shares of callers who read the digits out that are found to have said them, or nearly. */
const matchShare = 0.9;
const nearMissShare = 0.07;

/**
 * What the phrase check might have found of a caller who reads the digits out; drawn, since nobody may listen. Belongs to the challenge and
 * the recording.
 */
function strangersPhrase(
  context: ServiceContext,
  caller: Caller,
  { request, opened, heard, recordingSha256 }: Attempt,
): PhraseResult {
  if (opened.digits === null || heard === null || heard.digits === null) return notPerformed;
  const { rules, language, recogniserId, digitNetSpeechSeconds } = heard.digits;
  const bytes = keyedHash(
    context.hashKey,
    'decoy-phrase',
    caller.tenantId,
    request.accountId,
    opened.digits,
    recordingSha256,
  );
  const ticket = uniform(bytes, 0);
  const verdict = ticket < matchShare ? 'match' : ticket < matchShare + nearMissShare ? 'near_miss' : 'wrong';
  const { leastLlr, mostLlr } = rules.calibration;
  return {
    kind: 'checked',
    language,
    status: rules.status,
    verdict,
    llr: verdict === 'match' ? mostLlr * uniform(bytes, 4) : leastLlr * uniform(bytes, 4),
    differences: 0,
    digitNetSpeechSeconds,
    recogniserId,
  };
}

/** A standard normal number made of 8 uniform bytes (Box–Muller). */
function standardNormal(bytes: Buffer): number {
  return Math.sqrt(-2 * Math.log(uniform(bytes, 0))) * Math.cos(2 * Math.PI * uniform(bytes, 4));
}

/** A number between 0 and 1 made of 4 uniform bytes. */
function uniform(bytes: Buffer, offset: number): number {
  return (bytes.readUInt32BE(offset) + 1) / (2 ** 32 + 1);
}
