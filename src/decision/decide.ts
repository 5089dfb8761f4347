import { qualityFindings, type QualityFinding } from '../audio/quality-limits.js';
import { countedVerdict, type PhraseVerdict } from '../challenge/phrase.js';
import type { Evidence, QualityEvidence } from './evidence.js';
import type { PolicyDocument } from './policy-schema.js';
import type { Decision, Reason, Tier } from './reasons.js';
import { passiveBounds } from './sequential.js';

/**
 * The judgement: a pure function of what was found and what the tenant's policy wants, read from top to bottom.
 * The first rule that has something to say decides; ACCEPT is what is left when none has.
 * @param evidence plain data gathered by the service
 * @param policy a parsed policy
 * @param tier what the caller wants to do
 * @returns ACCEPT without reasons, or another decision with its reasons, the leading one first
 */
export function decide(evidence: Evidence, policy: PolicyDocument, tier: Tier): Decision {
  return (
    closedDoor(evidence) ??
    unknownCaller(evidence) ??
    badChallenge(evidence, policy) ??
    refutedFactor(evidence, policy, tier) ??
    otherModel(evidence) ??
    unclearAudio(evidence, policy) ??
    missingFactor(evidence, policy, tier) ??
    doubtfulVoice(evidence, policy, tier) ?? { kind: 'ACCEPT', reasons: [] }
  );
}

function closedDoor({ gate }: Evidence): Decision | null {
  if (gate === 'open') return null;
  return { kind: 'REJECT', reasons: [gate === 'locked' ? 'LOCKED' : 'VELOCITY'] };
}

const accountReasons = {
  not_enrolled: 'NOT_ENROLLED',
  opted_out: 'OPTED_OUT',
  consent_missing: 'CONSENT_MISSING',
} as const;

function unknownCaller({ account }: Evidence): Decision | null {
  return account === 'enrolled' ? null : { kind: 'STEP_UP', reasons: [accountReasons[account]] };
}

function badChallenge(evidence: Evidence, policy: PolicyDocument): Decision | null {
  switch (evidence.challenge) {
    case 'valid':
      return null;
    case 'not_required':
      return policy.passive.enabled ? null : { kind: 'STEP_UP', reasons: ['PHRASE_NOT_CHECKED'] };
    case 'expired':
      return askAgain(evidence, policy, ['CHALLENGE_EXPIRED']);
    case 'reused':
      return { kind: 'REJECT', reasons: ['CHALLENGE_REUSED'] };
    case 'mismatch':
      return { kind: 'REJECT', reasons: ['CHALLENGE_MISMATCH'] };
  }
}

/** A factor that speaks against the caller. A wrong PIN needs no audio; voice and phrase do only where the audio is usable. */
function refutedFactor(evidence: Evidence, policy: PolicyDocument, tier: Tier): Decision | null {
  const { pin, quality, phrase, voice } = evidence;
  const reasons: Reason[] = pin === 'wrong' ? ['PIN_FAILED'] : [];
  if (audioFindings(quality, policy).length === 0) {
    if (verdictOn(phrase, policy) === 'wrong') reasons.push('WRONG_TEXT');
    if (voice.kind === 'compared' && voice.llr < rejectBelowLlr(evidence, policy, tier)) reasons.push('VOICE_MISMATCH');
  }
  return reasons.length === 0 ? null : { kind: 'REJECT', reasons };
}

const rejectBelowLlr = (evidence: Evidence, policy: PolicyDocument, tier: Tier): number =>
  isPassive(evidence) ? passiveBounds(policy, tier).rejectBelowLlr : policy.tiers.rejectBelowLlr;

/** Free speech is judged. */
const isPassive = ({ challenge }: Evidence): boolean => challenge === 'not_required';

function audioFindings(quality: QualityEvidence, policy: PolicyDocument): readonly QualityFinding[] {
  return quality.kind === 'measured' ? qualityFindings(quality, policy.quality) : ['NOT_ENOUGH_SPEECH'];
}

function otherModel({ voice }: Evidence): Decision | null {
  return voice.kind === 'model_mismatch' ? { kind: 'INCONCLUSIVE', reasons: ['MODEL_MISMATCH'] } : null;
}

function unclearAudio(evidence: Evidence, policy: PolicyDocument): Decision | null {
  const { quality, phrase, voice } = evidence;
  const reasons = new Set<Reason>(audioFindings(quality, policy));
  if (voice.kind !== 'compared') reasons.add('NOT_ENOUGH_SPEECH');
  const verdict = verdictOn(phrase, policy);
  if (verdict === 'silence') reasons.add('NOT_ENOUGH_SPEECH');
  if (verdict === 'near_miss') reasons.add('WRONG_TEXT');
  return reasons.size === 0 ? null : askAgain(evidence, policy, [...reasons]);
}

/** What the tier wants and another phrase would not bring. */
function missingFactor(evidence: Evidence, policy: PolicyDocument, tier: Tier): Decision | null {
  const reasons = isPassive(evidence)
    ? missingBesideSpeech(evidence, policy, tier)
    : missingBesidePhrase(evidence, policy, tier);
  if (isTooNew(evidence, policy, tier)) reasons.push('NEW_VOICEPRINT');
  if (reasons.length === 0) return null;
  return { kind: 'STEP_UP', reasons: isVoiceSure(evidence, policy, tier) ? reasons : [...reasons, 'VOICE_UNSURE'] };
}

/** Beside the answer to a challenge: PIN and right phrase, at the low tier one of them. */
function missingBesidePhrase({ pin, phrase }: Evidence, policy: PolicyDocument, tier: Tier): Reason[] {
  const rightPin = pin === 'right';
  const rightPhrase = verdictOn(phrase, policy) === 'match';
  if (tier === 'low') return rightPin || rightPhrase ? [] : ['PIN_MISSING', 'PHRASE_NOT_CHECKED'];
  return [...(rightPin ? [] : (['PIN_MISSING'] as const)), ...(rightPhrase ? [] : (['PHRASE_NOT_CHECKED'] as const))];
}

/** Beside free speech: PIN or an agent who knows who is calling; at the high tier both, at the low tier nothing where the policy says so. */
function missingBesideSpeech({ pin, call }: Evidence, { passive }: PolicyDocument, tier: Tier): Reason[] {
  const missing: Reason[] = [
    ...(pin === 'right' ? [] : (['PIN_MISSING'] as const)),
    ...(call.identifiedByAgent === true ? [] : (['NOT_IDENTIFIED'] as const)),
  ];
  const wanted = tier === 'high' ? 2 : tier === 'low' && passive.voiceAloneOpensLow ? 0 : 1;
  return missing.length > 2 - wanted ? missing : [];
}

function doubtfulVoice(evidence: Evidence, policy: PolicyDocument, tier: Tier): Decision | null {
  return isVoiceSure(evidence, policy, tier) ? null : askAgain(evidence, policy, ['VOICE_UNSURE']);
}

/** What was said, as far as the policy lets it count. */
const verdictOn = (phrase: Evidence['phrase'], { challenge }: PolicyDocument): PhraseVerdict | null =>
  countedVerdict(phrase, challenge.trustedExperimentalLanguages);

/** Each tier asks for what the one below asks for, and more. Written so that a value that is no number is never sure. */
function isVoiceSure(evidence: Evidence, policy: PolicyDocument, tier: Tier): boolean {
  const { voice, phrase, fused } = evidence;
  const { tiers } = policy;
  if (voice.kind !== 'compared') return false;
  if (isPassive(evidence)) return voice.llr >= passiveBounds(policy, tier).acceptAtLlr;
  switch (tier) {
    case 'low':
      return voice.llr >= tiers.low.minVoiceLlr;
    case 'standard':
      return voice.llr >= tiers.standard.minVoiceLlr;
    case 'high':
      // However sure the words and the PIN are, the voice must do for the tier below by itself.
      return (
        phrase.kind === 'checked' &&
        voice.llr >= tiers.standard.minVoiceLlr &&
        fused !== null &&
        fused >= tiers.high.minFusedLlr
      );
  }
}

function isTooNew({ voice }: Evidence, policy: PolicyDocument, tier: Tier): boolean {
  if (tier === 'low' || voice.kind !== 'compared') return false;
  const isYoung = !(voice.voiceprintAgeSeconds >= policy.newVoiceprintHours * 3600);
  return isYoung && (tier === 'high' || voice.voiceprintReplacedAnother);
}

/** One more phrase, as long as the call has not been asked for too many. Of free speech there was as much as there may be. */
function askAgain(evidence: Evidence, { continuesPerCall }: PolicyDocument, reasons: readonly Reason[]): Decision {
  if (isPassive(evidence)) return { kind: 'INCONCLUSIVE', reasons };
  const { call } = evidence;
  return { kind: call.continuesGiven < continuesPerCall ? 'CONTINUE' : 'STEP_UP', reasons };
}
