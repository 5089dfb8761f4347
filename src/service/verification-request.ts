import type { Tier } from '../decision/reasons.js';
import type { AudioInput } from './listen.js';

/** One attempt to prove who is calling. */
export interface VerificationRequest {
  readonly accountId: string;
  readonly challengeId: string;
  readonly audio: AudioInput;
  readonly pin: string | null;
  readonly tier: Tier;
  /** An earlier verification that was answered CONTINUE, whose chain this one goes on with. */
  readonly continues: string | null;
  readonly call: {
    readonly callId: string | null;
    readonly lineNumber: string | null;
    readonly channel: string | null;
    readonly agentId: string | null;
  };
}
