import type { PinEvidence } from '../decision/evidence.js';
import type { Heard } from './listen.js';
import type { AttemptRequest } from './verification-request.js';
import type { OpenedVerification } from './verify-steps.js';

/** An attempt that was opened and listened to: all that is left is the judgement. */
export interface Attempt {
  readonly request: AttemptRequest;
  readonly opened: OpenedVerification;
  /** Keyed hash of the caller's line. */
  readonly line: Uint8Array | null;
  /** Null where nobody listened: the challenge was no good. */
  readonly heard: Heard | null;
  /** What a hash of the samples says: the same recording heard again is the same recording. */
  readonly recordingSha256: Uint8Array;
  /** Null: none was given. Else what it was found to be, against the PIN the account had when the attempt was opened. */
  readonly pin: PinEvidence | null;
  readonly timingsMs: () => Readonly<Record<string, number>>;
}

/** Whether the caller's own voice may be heard; else a noise takes its place. */
export const mayListen = ({ judged, account, gateOpen }: OpenedVerification): boolean =>
  judged && account === 'enrolled' && gateOpen;
