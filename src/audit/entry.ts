import type { DecisionKind, Reason, Tier } from '../decision/reasons.js';

/**
 * What the audit records. Closed union, switched on `kind`. Accounts appear only as `account`, the keyed pseudonym (hex);
 * no event carries an account id, a PIN, a phrase, samples or vectors.
 */
export type AuditEvent = { readonly by: Actor } & (
  | { readonly kind: 'account_created'; readonly account: string }
  | { readonly kind: 'account_erased'; readonly account: string; readonly voiceprintsErased: number }
  | { readonly kind: 'opt_out_set'; readonly account: string | null; readonly optedOut: boolean }
  | {
      readonly kind: 'consent_given';
      readonly account: string;
      readonly consentId: string;
      readonly purpose: string;
      readonly textVersion: string;
      readonly channel: string;
    }
  | { readonly kind: 'consent_withdrawn'; readonly account: string; readonly voiceprintsErased: number }
  | {
      readonly kind: 'pin_set';
      readonly account: string;
      readonly replaced: boolean;
      readonly proof: string;
      readonly reason: string | null;
    }
  | { readonly kind: 'account_unlocked'; readonly account: string; readonly reason: string | null }
  | {
      readonly kind: 'proof_refused';
      readonly account: string;
      readonly purpose: 'enrolment' | 'pin';
      readonly reason: Reason;
    }
  | {
      readonly kind: 'enrolment_started';
      readonly account: string;
      readonly enrolmentId: string;
      readonly proof: string;
      readonly reason: string | null;
    }
  | { readonly kind: 'enrolment_cancelled'; readonly account: string; readonly enrolmentId: string }
  | {
      readonly kind: 'voiceprint_created';
      readonly account: string;
      readonly voiceprintId: string;
      readonly modelId: string;
      readonly supersedesVoiceprintId: string | null;
    }
  /** A print just made was taken back; those it had superseded are active again. */
  | {
      readonly kind: 'enrolment_undone';
      readonly account: string;
      readonly enrolmentId: string;
      readonly voiceprintsErased: number;
      readonly restoredVoiceprintIds: readonly string[];
    }
  /** The voice of an enrolment was found among the prints of another account. */
  | {
      readonly kind: 'duplicate_voice_found';
      readonly account: string;
      readonly otherAccount: string;
      readonly findingId: string;
      readonly enrolmentId: string;
      readonly modelId: string;
      readonly llr: number;
      readonly thresholdLlr: number;
      readonly printsSearched: number;
      readonly outcome: 'flagged' | 'refused';
    }
  | { readonly kind: 'duplicate_voice_resolved'; readonly findingId: string; readonly allowed: boolean }
  /** Agents are no accounts: their own ids name them here as they do in `by`. */
  | {
      readonly kind: 'agent_voiceprint_created';
      readonly ofAgent: string;
      readonly modelIds: readonly string[];
      readonly consentTextVersion: string;
      readonly replaced: boolean;
    }
  | { readonly kind: 'agent_voiceprint_erased'; readonly ofAgent: string; readonly voiceprintsErased: number }
  /** A print by another model, made of the utterances of calls that were accepted on the word of an earlier print. */
  | {
      readonly kind: 'voiceprint_migrated';
      readonly account: string;
      readonly voiceprintId: string;
      readonly modelId: string;
      readonly derivedFromVoiceprintId: string;
      readonly derivedFromModelId: string;
      readonly verificationIds: readonly string[];
    }
  | {
      readonly kind: 'voiceprint_migration_undone';
      readonly account: string;
      readonly modelId: string;
      readonly voiceprintsErased: number;
      readonly utterancesErased: number;
    }
  /** Prints by other models erased, where one by this model judges. */
  | {
      readonly kind: 'voiceprint_migration_finished';
      readonly account: string;
      readonly modelId: string;
      readonly voiceprintsErased: number;
    }
  | {
      readonly kind: 'verification_decided';
      readonly account: string | null;
      readonly verificationId: string;
      readonly tier: Tier;
      readonly decision: DecisionKind;
      readonly reasons: readonly Reason[];
      readonly policyVersion: number;
      readonly modelId: string;
    }
  | {
      readonly kind: 'outcome_recorded';
      readonly account: string | null;
      readonly verificationId: string;
      readonly factor: string | null;
      readonly passed: boolean | null;
      readonly label: 'genuine' | 'fraud' | null;
    }
  | { readonly kind: 'policy_stored'; readonly version: number }
  | { readonly kind: 'policy_activated'; readonly version: number }
  | {
      readonly kind: 'api_key_created';
      readonly keyId: string;
      readonly roles: readonly string[];
      readonly answer: string;
    }
  | { readonly kind: 'api_key_revoked'; readonly keyId: string }
  /** A page began or ended a session with the actor's key. */
  | { readonly kind: 'signed_in' }
  | { readonly kind: 'signed_out' }
);

/** Who did it: an API key, or the command line. `agentId` is the operator's own id of an agent. */
export interface Actor {
  readonly apiKeyId: string | null;
  readonly agentId: string | null;
}

/** One sealed entry. */
export interface AuditEntry {
  /** 1, 2, 3 … per tenant, without gaps. */
  readonly seq: number;
  readonly at: Date;
  readonly event: AuditEvent;
  /** Hex; HMAC-SHA-256 under the audit key over tenant, seq, time, canonical event and the seal before. */
  readonly seal: string;
}

/** A signed statement that the chain has reached `seq`. Kept outside the database it shows a cut tail. */
export interface AuditHead {
  readonly tenantId: string;
  readonly seq: number;
  readonly seal: string;
  readonly at: Date;
  /** Base64 Ed25519 signature over tenant, seq, seal and time. */
  readonly signature: string;
}
