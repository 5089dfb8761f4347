import {
  qualityFindings,
  type MeasuredRecording,
  type QualityFinding,
  type QualityLimits,
} from '../audio/quality-limits.js';

/** What an utterance of an enrolment must reach; a policy document fits. */
export interface UtteranceNeeds {
  readonly quality: QualityLimits;
  readonly enrolment: { readonly minUtteranceNetSpeechSeconds: number };
}

/**
 * Whether an utterance may become part of a voiceprint: the limits of a verification, with the enrolment's own least net speech.
 * @returns why not; empty when it is accepted
 */
export function judgeUtterance(
  heard: MeasuredRecording,
  { quality, enrolment }: UtteranceNeeds,
): readonly QualityFinding[] {
  return qualityFindings(heard, { ...quality, minNetSpeechSeconds: enrolment.minUtteranceNetSpeechSeconds });
}
