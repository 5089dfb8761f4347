import type { Tier } from '../decision/reasons.js';
import type { CheckedPin } from './checked-pin.js';
import type { AudioInput } from './listen.js';

/** One attempt to prove who is calling, whatever way the audio comes. */
export interface AttemptRequest {
  readonly accountId: string;
  /** Null: free speech is judged, see `passive` in the policy. */
  readonly challengeId: string | null;
  readonly tier: Tier;
  /** An earlier verification that was answered CONTINUE, whose chain this one goes on with. */
  readonly continues: string | null;
  /** An agent has made sure who is calling, by the operator's own questions. Looked at in passive verification only. */
  readonly identifiedByAgent: boolean;
  readonly call: {
    readonly callId: string | null;
    readonly lineNumber: string | null;
    readonly channel: string | null;
    readonly agentId: string | null;
  };
}

/** An attempt with a recording. */
export interface VerificationRequest extends AttemptRequest {
  readonly audio: AudioInput;
  /** As it was entered, or compared before; null: none was given. */
  readonly pin: string | CheckedPin | null;
}
