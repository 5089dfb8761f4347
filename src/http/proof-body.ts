import type { ProofRequest } from '../service/proof.js';

/** The proof fields of a body, absent ones as null. */
export function proofOf(body: {
  readonly pin?: string;
  readonly verificationId?: string;
  readonly agentId?: string;
  readonly overrideReason?: string;
}): ProofRequest {
  return {
    pin: body.pin ?? null,
    verificationId: body.verificationId ?? null,
    agentId: body.agentId ?? null,
    overrideReason: body.overrideReason ?? null,
  };
}
