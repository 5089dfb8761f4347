import type { QualityReport } from './waveform.js';

/** Limits for a recording; they come from a policy, never from here. The `quality` part of a policy document fits. */
export interface QualityLimits {
  readonly minNetSpeechSeconds: number;
  readonly minSnrDb: number;
  readonly maxClippingShare: number;
  readonly minSpeechLevelDbfs: number;
  readonly minBandwidthHz: number;
  /** Smallest cosine between windows of one utterance; null: not looked at. */
  readonly multipleSpeakersBelowCosine: number | null;
}

/** What can be wrong with a recording before anybody asks whose voice it is. */
export type QualityFinding = 'NOT_ENOUGH_SPEECH' | 'LOW_QUALITY' | 'MULTIPLE_SPEAKERS';

/** A recording as measured. */
export interface MeasuredRecording {
  readonly report: QualityReport;
  /** Smallest cosine between windows of the utterance; null when it is too short to be cut. */
  readonly minWindowCosine: number | null;
}

/**
 * Holds a recording's measured quality against limits: verification and enrolment are judged by this one function.
 * @returns empty when the recording may be used; a measurement that is no number counts as too bad
 */
export function qualityFindings(
  { report, minWindowCosine }: MeasuredRecording,
  limits: QualityLimits,
): readonly QualityFinding[] {
  const findings: QualityFinding[] = [];
  if (!(report.netSpeechSeconds >= limits.minNetSpeechSeconds)) findings.push('NOT_ENOUGH_SPEECH');
  const isGoodEnough =
    (report.snrDb === null || report.snrDb >= limits.minSnrDb) &&
    report.clippingShare <= limits.maxClippingShare &&
    report.speechLevelDbfs >= limits.minSpeechLevelDbfs &&
    report.bandwidthHz >= limits.minBandwidthHz;
  if (!isGoodEnough) findings.push('LOW_QUALITY');
  const floor = limits.multipleSpeakersBelowCosine;
  if (floor !== null && minWindowCosine !== null && !(minWindowCosine >= floor)) findings.push('MULTIPLE_SPEAKERS');
  return findings;
}
