import type { PolicyDocument } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import { mayListen } from './attempt.js';
import { pinNow } from './checked-pin.js';
import { optOutHash, policyOf, type Caller, type ServiceContext } from './context.js';
import type { KnownVoice } from './agent-voice.js';
import { ongoing, type OngoingEnrolment } from './enrolment-steps.js';
import { judge, type VerificationAnswer } from './judge.js';
import type { Heard, Listeners } from './listen.js';
import type { ActivePrint, StreamProtocol, StreamRow } from './ports.js';
import { printFor } from './prints.js';
import { sha256OfToken } from './stream-token.js';
import type { AttemptRequest } from './verification-request.js';
import { openVerification, type OpenedVerification } from './verify-steps.js';

/** A registered call that a door has taken, with what is known before anybody listens. */
export interface OpenedCall {
  readonly caller: Caller;
  readonly row: StreamRow;
  readonly opened: OpenedVerification;
  /** What the voice is compared with on the way; the judgement reads it anew. */
  readonly print: ActivePrint | null;
  readonly policy: PolicyDocument;
  /** What the call is heard for in mode enrolment; null in the others. */
  readonly enrolment: OngoingEnrolment | null;
  /** The agent who leads the enrolment, as enrolled for its model. */
  readonly agentVoice: KnownVoice | null;
}

/** How long a node may be silent before its calls are taken to be lost, ms. */
export const leaseMs = 30_000;

/** Whether a registered call waits for its door under this token. */
export async function isAwaited(context: ServiceContext, protocol: StreamProtocol, token: string): Promise<boolean> {
  const row = (await context.store.findStream(sha256OfToken(token)))?.row;
  return row?.terms.protocol === protocol && row.state === 'registered' && row.expiresAt > context.now();
}

/** A call by the operator's own id of it, for protocols whose peers know nothing else and are known themselves. */
export interface OwnCallId {
  readonly tenantId: string;
  /** `callId` of the registration. */
  readonly callId: string;
}

/**
 * Takes a registered call, once, and with it its challenge.
 * @param name its token, or the operator's own id, of which there has to be one registration
 * @throws VoicegateError `stream_unknown` when it is unknown, used, expired, for another protocol, or its key was revoked; those of
 *   `openVerification`; in mode enrolment those of `ongoing`, such as `consent_missing`
 */
export async function openCall(
  context: ServiceContext,
  protocol: StreamProtocol,
  name: string | OwnCallId,
): Promise<OpenedCall> {
  const found =
    typeof name === 'string'
      ? await context.store.findStream(sha256OfToken(name))
      : await findByCallId(context, protocol, name);
  if (found === null || found.row.terms.protocol !== protocol) throw noStream();
  const { tenantId, row } = found;
  const key = await context.store.findApiKey(row.apiKeyId);
  if (key === null || key.revokedAt !== null || key.tenantId !== tenantId) throw noStream();
  const caller: Caller = { tenantId, apiKeyId: key.keyId, roles: key.roles, answer: key.answer };
  return context.store.transaction(tenantId, async (tx) => {
    const now = context.now();
    if (!(await tx.streams.start(row.streamId, now, new Date(now.getTime() + leaseMs)))) throw noStream();
    const opened = await openVerification(context, caller, tx, attemptOf(row), row.lineHash);
    const standing = await tx.standing(row.accountId, optOutHash(context, caller, row.accountId));
    const policy = await policyOf(context, caller, tx, standing.policyVersion);
    const { enrolmentId } = row.terms;
    const enrolment = enrolmentId === null ? null : await ongoing(context, caller, tx, enrolmentId);
    const agentId = row.terms.agentId ?? enrolment?.row.agentId ?? null;
    const agentVoice =
      enrolment === null || agentId === null ? null : await tx.agents.voiceprint(agentId, enrolment.row.modelId);
    return {
      caller,
      row,
      opened,
      print: printFor(opened.modelId, standing.prints),
      policy: policy.document,
      enrolment,
      agentVoice,
    };
  });
}

async function findByCallId(
  context: ServiceContext,
  protocol: StreamProtocol,
  { tenantId, callId }: OwnCallId,
): Promise<{ readonly tenantId: string; readonly row: StreamRow } | null> {
  const [row, ...others] = await context.store.transaction(tenantId, (tx) =>
    tx.streams.registeredFor(protocol, [callId], context.now()),
  );
  return row === undefined || others.length > 0 ? null : { tenantId, row };
}

/** Which of a tenant's calls are registered and wait to be taken. @param callIds the operator's own ids */
export async function registeredCalls(
  context: ServiceContext,
  protocol: StreamProtocol,
  tenantId: string,
  callIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await context.store.transaction(tenantId, (tx) =>
    tx.streams.registeredFor(protocol, callIds, context.now()),
  );
  return new Set(rows.flatMap(({ terms }) => terms.callId ?? []));
}

/** Who listens to a call: as to a recording. */
export function listenersOf({ caller, opened }: OpenedCall): Listeners {
  return {
    hears: mayListen(opened) ? 'caller' : 'decoy',
    modelId: opened.modelId,
    ...(caller.answer === 'opaque' ? { otherHears: 'decoy' } : {}),
  };
}

/** Judges what was heard of a call, and ends the stream with it in the same transaction. @throws VoicegateError as `judge` does */
export async function judgeCall(
  context: ServiceContext,
  { caller, row, opened }: OpenedCall,
  heard: Heard | null,
  recordingSha256: Uint8Array,
): Promise<VerificationAnswer> {
  const attempt = {
    request: attemptOf(row),
    opened,
    line: row.lineHash,
    heard,
    recordingSha256,
    pin: row.pin === null ? null : pinNow(context, { evidence: row.pin, mark: row.pinMark }, opened.pinHash),
    timingsMs: () => ({}),
  };
  return judge(context, caller, attempt, async (tx, { verification }) => {
    const { kind, reasons } = verification.decision;
    const outcome = { kind: 'verdict' as const, decision: kind, reasons, verificationId: verification.verificationId };
    if (!(await tx.streams.end(row.streamId, outcome, context.now()))) throw noStream();
  });
}

function attemptOf({ accountId, terms }: StreamRow): AttemptRequest {
  const { challengeId, tier, continues, identifiedByAgent, callId, channel, agentId } = terms;
  // The line is known as its hash only.
  const call = { callId, lineNumber: null, channel, agentId };
  return { accountId, challengeId, tier, continues, identifiedByAgent, call };
}

function noStream(): VoicegateError {
  return new VoicegateError('stream_unknown', 'There is no such stream to be taken', {
    hint: 'Register one with POST /v1/streams; it can be taken once, by the protocol it names, before it expires',
  });
}
