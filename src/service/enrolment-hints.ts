import type { QualityReport } from '../audio/waveform.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Reason } from '../decision/reasons.js';
import type { EnrolmentProgress } from './enrolment-view.js';

/**
 * What somebody who leads an enrolment is told to do next. Codes; the words for people are kept with the prompts.
 * `keep_talking`, `almost_done`, `done`: all is well. `silence`: nobody speaks. `speak_longer`: the utterance was too short. `too_quiet`, `too_loud`,
 * `background_noise`, `bad_line`: what is wrong with the sound. `agent_heard`: the agent's voice came in place of the customer's.
 * `two_voices`: more than one voice. `read_prompt`: something else than a prompt was said.
 */
export const enrolmentHints = [
  'keep_talking',
  'almost_done',
  'done',
  'silence',
  'speak_longer',
  'too_quiet',
  'too_loud',
  'background_noise',
  'bad_line',
  'agent_heard',
  'two_voices',
  'read_prompt',
] as const;
export type EnrolmentHint = (typeof enrolmentHints)[number];

/** Nobody has spoken for so long that something is to be done about it. */
const silentSecondsToTell = 8;
/** Speech that has to be there before its quality is spoken of. */
const leastSpeechSeconds = 0.8;
/** What one more utterance brings as a rule. */
const usualUtteranceSeconds = 3;

/** The hint after an utterance. @param reasons why it was not accepted; empty when it was */
export function hintAfter(
  reasons: readonly Reason[],
  quality: QualityReport,
  progress: EnrolmentProgress,
  policy: PolicyDocument,
): EnrolmentHint {
  if (reasons.includes('AGENT_HEARD')) return 'agent_heard';
  if (reasons.includes('MULTIPLE_SPEAKERS')) return 'two_voices';
  if (reasons.includes('LOW_QUALITY')) return soundHint(quality, policy) ?? 'bad_line';
  if (reasons.includes('NOT_ENOUGH_SPEECH')) return 'speak_longer';
  if (reasons.includes('WRONG_TEXT')) return 'read_prompt';
  return progressHint(progress);
}

/** The hint while an utterance goes on. @param silentSeconds since anybody spoke */
export function hintMeanwhile(
  silentSeconds: number,
  quality: QualityReport,
  kept: EnrolmentProgress,
  policy: PolicyDocument,
): EnrolmentHint {
  if (silentSeconds >= silentSecondsToTell) return 'silence';
  const sound = quality.netSpeechSeconds >= leastSpeechSeconds ? soundHint(quality, policy) : null;
  return sound ?? progressHint(kept);
}

function soundHint(quality: QualityReport, { quality: limits }: PolicyDocument): EnrolmentHint | null {
  if (!(quality.speechLevelDbfs >= limits.minSpeechLevelDbfs)) return 'too_quiet';
  if (!(quality.clippingShare <= limits.maxClippingShare)) return 'too_loud';
  if (quality.snrDb !== null && !(quality.snrDb >= limits.minSnrDb)) return 'background_noise';
  return quality.bandwidthHz >= limits.minBandwidthHz ? null : 'bad_line';
}

function progressHint(progress: EnrolmentProgress): EnrolmentHint {
  if (progress.complete) return 'done';
  const oneMoreIsEnough =
    progress.utterancesNeeded - progress.utterances <= 1 &&
    progress.netSpeechSecondsNeeded - progress.netSpeechSeconds <= usualUtteranceSeconds;
  return oneMoreIsEnough ? 'almost_done' : 'keep_talking';
}
