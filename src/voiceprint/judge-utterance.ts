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
  readonly enrolment: { readonly minUtteranceNetSpeechSeconds: number; readonly agentVoiceLlr: number };
  readonly challenge: { readonly trustedExperimentalLanguages: readonly string[] };
}

/** How much of the agent who leads an enrolment there is in an utterance. */
export interface AgentInUtterance {
  /** Largest LLR of any part of it against the agent's voice; null: that voice is not known. */
  readonly llr: number | null;
  /** How much it is a copy of what the agent said, as `audio/leakage.ts` has it; 0 to 1. */
  readonly leakage: number;
}

/**
 * From there on an utterance holds too much of what the agent said: a fifth, which is an echo of about a tenth of its power and below what independent
 * speech comes to (the table is in this room's README).
 */
const mostLeakage = 0.2;

/** What can be wrong with an utterance of an enrolment. */
export type UtteranceFinding = QualityFinding | 'WRONG_TEXT' | 'AGENT_HEARD';

/**
 * Whether an utterance may become part of a voiceprint: the limits of a verification, with the enrolment's own least net speech; and what
 * was clearly something else than a prompt, or no digits at all, may not. A near miss may: it is the voice that is wanted.
 * @param agent null: no agent was listened for
 * @returns why not; empty when it is accepted
 */
export function judgeUtterance(
  heard: MeasuredRecording,
  phrase: PhraseResult,
  { quality, enrolment, challenge }: UtteranceNeeds,
  agent: AgentInUtterance | null = null,
): readonly UtteranceFinding[] {
  const verdict = countedVerdict(phrase, challenge.trustedExperimentalLanguages);
  const findings = new Set<UtteranceFinding>(
    qualityFindings(heard, { ...quality, minNetSpeechSeconds: enrolment.minUtteranceNetSpeechSeconds }),
  );
  if (verdict === 'silence') findings.add('NOT_ENOUGH_SPEECH');
  if (verdict === 'wrong') findings.add('WRONG_TEXT');
  if (agent !== null && hasAgent(agent, enrolment.agentVoiceLlr)) findings.add('AGENT_HEARD');
  return [...findings];
}

/** A likeness that is no number counts as the agent. */
const hasAgent = ({ llr, leakage }: AgentInUtterance, agentVoiceLlr: number): boolean =>
  (llr !== null && !(llr < agentVoiceLlr)) || !(leakage < mostLeakage);
