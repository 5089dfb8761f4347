import { promptText } from '../challenge/prompt-text.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { EnrolmentRow, EnrolmentUtteranceRow } from './ports.js';

/** How far an enrolment is. */
export interface EnrolmentView {
  readonly enrolmentId: string;
  readonly accountId: string;
  readonly state: EnrolmentRow['state'];
  readonly expiresAt: Date;
  readonly prompts: readonly { readonly digits: string; readonly text: string }[];
  readonly progress: EnrolmentProgress;
}

/** Accepted so far, and what the policy asks for. */
export interface EnrolmentProgress {
  readonly utterances: number;
  readonly utterancesNeeded: number;
  readonly netSpeechSeconds: number;
  readonly netSpeechSecondsNeeded: number;
  /** Enough to complete. */
  readonly complete: boolean;
}

/** Progress of the utterances kept so far against a policy. */
export function progressOf(kept: readonly EnrolmentUtteranceRow[], policy: PolicyDocument): EnrolmentProgress {
  const rules = policy.enrolment;
  const netSpeechSeconds = kept.reduce((sum, one) => sum + one.netSpeechSeconds, 0);
  return {
    utterances: kept.length,
    utterancesNeeded: rules.utterances,
    netSpeechSeconds,
    netSpeechSecondsNeeded: rules.netSpeechSeconds,
    complete: kept.length >= rules.utterances && netSpeechSeconds >= rules.netSpeechSeconds,
  };
}

/** An enrolment with its prompts in words. */
export function enrolmentView(
  row: EnrolmentRow,
  kept: readonly EnrolmentUtteranceRow[],
  policy: PolicyDocument,
): EnrolmentView {
  return {
    enrolmentId: row.enrolmentId,
    accountId: row.accountId,
    state: row.state,
    expiresAt: row.expiresAt,
    prompts: row.prompts.map((digits) => ({
      digits,
      text: promptText(digits, row.language, { sayYaoForOne: policy.challenge.sayYaoForOne }),
    })),
    progress: progressOf(kept, policy),
  };
}
