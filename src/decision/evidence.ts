import type { QualityReport } from '../audio/waveform.js';
import type { PhraseResult } from '../challenge/phrase.js';

/** Everything `decide` looks at, gathered by the service. Plain data, stored with the verification. */
export interface Evidence {
  readonly account: AccountEvidence;
  readonly challenge: ChallengeEvidence;
  readonly quality: QualityEvidence;
  readonly voice: VoiceEvidence;
  readonly phrase: PhraseResult;
  readonly pin: PinEvidence;
  /** Voice, phrase and PIN as one natural log-likelihood ratio (scoring/fusion.ts); null where no voice was compared. */
  readonly fused: number | null;
  readonly call: {
    /** CONTINUE answers already given in this chain of verifications (see `continues`). */
    readonly continuesGiven: number;
    /** An agent has made sure who is calling. Counts where free speech is judged; absent: nobody has. */
    readonly identifiedByAgent?: boolean;
  };
  /** Whether the attempt ladder or the velocity counter closed the door before this attempt. */
  readonly gate: 'open' | 'locked' | 'velocity';
}

export type AccountEvidence = 'enrolled' | 'not_enrolled' | 'opted_out' | 'consent_missing';

/** `mismatch`: made for another account, purpose or line, or unknown to this tenant. `not_required`: free speech is judged, nothing was asked. */
export type ChallengeEvidence = 'valid' | 'expired' | 'reused' | 'mismatch' | 'not_required';

export type QualityEvidence =
  | { readonly kind: 'not_measured' }
  | {
      readonly kind: 'measured';
      readonly report: QualityReport;
      /** Smallest cosine between windows of the utterance; null when it is too short to be cut. */
      readonly minWindowCosine: number | null;
    };

export type VoiceEvidence =
  | { readonly kind: 'not_compared' }
  /** The voiceprint was made by a model that is not loaded. */
  | { readonly kind: 'model_mismatch'; readonly voiceprintModelId: string; readonly modelId: string }
  | {
      readonly kind: 'compared';
      /** [-1, 1] */
      readonly cosine: number;
      /** The cosine after score normalisation, see scoring/score-voice.ts. */
      readonly normalised: number;
      /** Calibrated natural log-likelihood ratio, same speaker against different speakers. */
      readonly llr: number;
      readonly modelId: string;
      readonly calibrationVersion: string;
      readonly voiceprintAgeSeconds: number;
      /** This print superseded an earlier one (as opposed to a first enrolment). */
      readonly voiceprintReplacedAnother: boolean;
    };

/**
 * `not_set`: a PIN was sent but the account has none. `not_checked`: a PIN was sent and not looked at, because the account is closed or
 * unknown or the challenge was no good.
 */
export type PinEvidence = 'right' | 'wrong' | 'missing' | 'not_set' | 'not_checked';
