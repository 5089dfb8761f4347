import {
  qualityFindings,
  type MeasuredRecording,
  type QualityFinding,
  type QualityLimits,
} from '../audio/quality-limits.js';
import { countedVerdict, type PhraseResult } from '../challenge/phrase.js';

/** What an utterance of an enrolment must reach; a policy document fits. */
export interface UtteranceNeeds {
  readonly quality: QualityLimits;
  readonly enrolment: { readonly minUtteranceNetSpeechSeconds: number };
  readonly challenge: { readonly trustedExperimentalLanguages: readonly string[] };
}

/** What can be wrong with an utterance of an enrolment. */
export type UtteranceFinding = QualityFinding | 'WRONG_TEXT';

/**
 * Whether an utterance may become part of a voiceprint: the limits of a verification, with the enrolment's own least net speech; and what
 * was clearly something else than a prompt, or no digits at all, may not. A near miss may: it is the voice that is wanted.
 * @returns why not; empty when it is accepted
 */
export function judgeUtterance(
  heard: MeasuredRecording,
  phrase: PhraseResult,
  { quality, enrolment, challenge }: UtteranceNeeds,
): readonly UtteranceFinding[] {
  const verdict = countedVerdict(phrase, challenge.trustedExperimentalLanguages);
  const findings = new Set<UtteranceFinding>(
    qualityFindings(heard, { ...quality, minNetSpeechSeconds: enrolment.minUtteranceNetSpeechSeconds }),
  );
  if (verdict === 'silence') findings.add('NOT_ENOUGH_SPEECH');
  if (verdict === 'wrong') findings.add('WRONG_TEXT');
  return [...findings];
}
