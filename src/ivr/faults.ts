import { VoicegateError } from '../errors.js';

/** A recording that could not be read or was not there: nothing was judged. */
export const isAudioFault = (fault: unknown): boolean =>
  fault instanceof VoicegateError && fault.code.startsWith('audio_') && fault.code !== 'audio_decoder_missing';

const refusals: readonly string[] = [
  'account_unknown',
  'proof_required',
  'proof_refused',
  'locked',
  'rate_limited',
  'opted_out',
];

/** A refusal that a caller hears in one way: what failed would tell whether there is such an account, and what of it. */
export const isRefusal = (fault: unknown): fault is VoicegateError =>
  fault instanceof VoicegateError && refusals.includes(fault.code);
