import type { Language } from '../challenge/languages.js';
import type { PinEvidence } from '../decision/evidence.js';
import type { Tier } from '../decision/reasons.js';

/** The dialogues that a gateway can open. */
export const dialogueNames = ['verify', 'pin-set', 'pin-change', 'pin-after-voice', 'enrol'] as const;
export type DialogueName = (typeof dialogueNames)[number];

/** How a dialogue ends: `return` to the document that called it as a subdialog, or `exit`. */
export const endings = ['exit', 'return'] as const;
export type Ending = (typeof endings)[number];

/** What holds for a whole dialogue. */
export interface Terms {
  readonly dialogue: DialogueName;
  readonly language: Language;
  readonly tier: Tier;
  readonly ends: Ending;
  /** The operator's id of the call, or one drawn for the dialogue. */
  readonly callId: string;
  /** The caller's line, as the operator or the gateway named it. */
  readonly line: string | null;
  /** Whose account the operator says it is; null: the caller enters it. */
  readonly accountId: string | null;
}

/**
 * What is remembered from one document to the next: sealed, so that gateway and caller cannot read it. No PIN is in it. Nothing is gained by
 * sending one twice: tries are counted by the service, and a challenge is good once.
 */
export type DialogueState = {
  readonly terms: Terms;
  /** Tries of this kind that failed so far. */
  readonly failures: number;
} & (
  | { readonly step: 'identify' }
  | {
      readonly step: 'answer';
      readonly accountId: string;
      readonly challengeId: string;
      readonly digits: string;
      readonly pin: { readonly evidence: PinEvidence; readonly mark: string | null };
      readonly continues: string | null;
    }
  | { readonly step: 'change-pin' }
  | { readonly step: 'new-pin'; readonly accountId: string; readonly verificationId: string | null }
  /** `consented`: agreed in an earlier document. */
  | { readonly step: 'start-enrolment'; readonly consented: boolean }
  | {
      readonly step: 'utterance';
      readonly enrolmentId: string;
      /** Digits of each prompt. */
      readonly prompts: readonly string[];
      /** Which of them is to be said. */
      readonly at: number;
    }
);

/** A state of one step. */
export type StateOf<Step extends DialogueState['step']> = Extract<DialogueState, { readonly step: Step }>;

/** What a document submits, read by the edge. */
export interface Submitted {
  readonly state: string;
  /** Keys pressed, by field. */
  readonly keys: Readonly<Record<string, string>>;
  readonly utterance: { readonly bytes: Uint8Array; readonly contentType: string | null } | null;
  /** The caller's line as the gateway knows it. */
  readonly line: string | null;
  readonly hungUp: boolean;
}
