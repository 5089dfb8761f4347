import type { QualityReport } from '../audio/waveform.js';
import type { Reason } from '../decision/reasons.js';
import type { EnrolmentHint } from './enrolment-hints.js';
import type { EnrolmentProgress } from './enrolment-view.js';
import type { VerificationAnswer } from './judge.js';

/** The voice of some speech, as far as the key may know it: an `opaque` key gets seconds only. */
export interface VoiceSoFar {
  readonly netSpeechSeconds: number;
  /** Calibrated natural LLR; null where it may not be told or there is nothing to compare. */
  readonly llr: number | null;
  /** What it comes to so far; always undecided for an `opaque` key. */
  readonly decision: 'accepted' | 'rejected' | 'undecided';
}

/** How far an enrolment in a call is, between two utterances. */
export interface EnrolmentSoFar {
  /** Utterances accepted before the one that goes on. */
  readonly kept: EnrolmentProgress;
  /** Of the utterance that goes on. */
  readonly quality: QualityReport;
  readonly hint: EnrolmentHint;
}

/** What a call tells while it is heard. The last of a call is `verdict` or `enrolled`. */
export type LiveEvent =
  /** Speech was heard: at most twice a second. In an enrolment also when the hint changes. */
  | {
      readonly kind: 'progress';
      /** Of the call; in an enrolment of the utterance that goes on. */
      readonly netSpeechSeconds: number;
      readonly totalSeconds: number;
      readonly enrolment?: EnrolmentSoFar;
    }
  /** As in MRCPv2 speaker verification: the newest speech alone, and all of it. */
  | {
      readonly kind: 'interim';
      readonly incremental: VoiceSoFar;
      readonly cumulative: VoiceSoFar;
      readonly quality: QualityReport;
    }
  | { readonly kind: 'verdict'; readonly answer: VerificationAnswer }
  /** Enrolment: one utterance was heard. */
  | {
      readonly kind: 'utterance';
      readonly accepted: boolean;
      readonly reasons: readonly Reason[];
      readonly quality: QualityReport;
      readonly progress: EnrolmentProgress;
      readonly hint: EnrolmentHint;
    }
  /** Enrolment: the print is made. */
  | { readonly kind: 'enrolled'; readonly voiceprintId: string };

/** Whose voices a call brings: the customer’s alone, each in a channel of its own, or both in one. */
export type Legs = 'customer' | 'customer_and_agent' | 'mixed';

/** What hears the agent in a call with a customer. */
export interface AgentEar {
  /** Once, before the first sample. @throws VoicegateError when a call with such legs cannot be heard for what it was registered */
  begin(legs: Legs): void;
  /** Takes the agent’s next samples, at 8 kHz, sample for sample beside the customer’s; copied. */
  accept(samples: Float32Array): void;
}

/** A call that is listened to: one for each mode. Feed it, let it work, end it. */
export interface LiveTask {
  /** Null: what the agent says is let go. */
  readonly agent: AgentEar | null;
  /** Takes the customer's next samples, at 8 kHz; copied. What comes after the mode's longest time is let go. */
  accept(samples: Float32Array): void;
  readonly takenSeconds: number;
  readonly waitingSeconds: number;
  /** Whether `work` has something to do. */
  readonly ready: boolean;
  /** True after the last event. */
  readonly done: boolean;
  /** Hears the next half second or so. One call at a time. @throws VoicegateError `busy` (call again), others end the call */
  work(): Promise<readonly LiveEvent[]>;
  /** Nothing more comes: what was heard is judged. Once. */
  conclude(): Promise<readonly LiveEvent[]>;
}
