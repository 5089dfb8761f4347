import { VoicegateError } from '../errors.js';
import type { Tier } from '../decision/reasons.js';
import type { Language } from '../challenge/languages.js';
import { createChallenge, type ChallengeView } from './challenges.js';
import { known, lineHash, newId, optOutHash, type Caller, type ServiceContext } from './context.js';
import { ongoing } from './enrolment-steps.js';
import { pinMark } from './checked-pin.js';
import type { StreamMode, StreamOutcome, StreamProtocol, StreamRow, StreamTerms } from './ports.js';
import { checkPin } from './proof.js';
import { drawToken, sha256OfToken } from './stream-token.js';

/** What somebody wants to be listened to for. */
export interface StreamRequest {
  readonly mode: StreamMode;
  readonly protocol: StreamProtocol;
  /** Null in enrolment mode: the enrolment says whose it is. */
  readonly accountId: string | null;
  readonly enrolmentId: string | null;
  readonly tier: Tier;
  readonly language: Language;
  readonly pin: string | null;
  readonly continues: string | null;
  readonly identifiedByAgent: boolean;
  readonly call: {
    readonly callId: string | null;
    readonly lineNumber: string | null;
    readonly channel: string | null;
    readonly agentId: string | null;
  };
  readonly eventsUrl: string | null;
}

/** A registered stream; the token is shown this once. */
export interface NewStream {
  readonly streamId: string;
  readonly token: string;
  readonly expiresAt: Date;
  /** What the caller is asked, in active mode. */
  readonly challenge: ChallengeView | null;
}

/** How far a stream is. An `opaque` key gets no reasons. */
export interface StreamView {
  readonly streamId: string;
  readonly mode: StreamMode;
  readonly protocol: StreamProtocol;
  readonly state: StreamRow['state'] | 'expired';
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly outcome: StreamOutcome | null;
}

/** How long a registered stream waits for its door, ms: not longer than a challenge by default. */
const validMs = 120_000;

/**
 * Registers a call. A PIN is checked now and counts when the call is judged, since nobody may learn before what it was.
 * @throws VoicegateError `forbidden` for a key without the mode's role, `invalid_request`, `conflict`; for `full` keys `account_unknown`, `opted_out`; in mode
 *   enrolment those of `ongoing`, such as `consent_missing`
 */
export async function registerStream(
  context: ServiceContext,
  caller: Caller,
  request: StreamRequest,
): Promise<NewStream> {
  const { mode, language, call } = request;
  const role = mode === 'enrolment' ? 'enroller' : 'verifier';
  if (!caller.roles.includes(role)) {
    throw new VoicegateError('forbidden', `A key for mode ${mode} needs the role ${role}`, { hint: 'Use another key' });
  }
  const accountId = await accountOf(context, caller, request);
  const challenge =
    mode === 'active'
      ? await createChallenge(context, caller, accountId, { language, lineNumber: call.lineNumber })
      : null;
  const account = await context.store.transaction(caller.tenantId, async (tx) => {
    const optedOut = await tx.accounts.isOptedOut(optOutHash(context, caller, accountId));
    const row = await tx.accounts.get(accountId);
    if (caller.answer === 'full') {
      known(row);
      if (optedOut) throw new VoicegateError('opted_out', 'The account has opted out of voice verification');
    }
    return row;
  });
  const pin = await checkPin(context, account?.pinHash ?? null, request.pin);
  const token = drawToken();
  const now = context.now();
  const terms: StreamTerms = {
    mode,
    protocol: request.protocol,
    tier: request.tier,
    language,
    challengeId: challenge?.challengeId ?? null,
    enrolmentId: request.enrolmentId,
    continues: request.continues,
    identifiedByAgent: request.identifiedByAgent,
    callId: call.callId,
    channel: call.channel,
    agentId: call.agentId,
    eventsUrl: request.eventsUrl,
  };
  const row: StreamRow = {
    streamId: newId('str'),
    apiKeyId: caller.apiKeyId ?? 'command-line',
    accountId,
    terms,
    lineHash: lineHash(context, caller, call.lineNumber),
    pin: pin === 'missing' ? null : pin,
    pinMark: pinMark(context, account?.pinHash ?? null),
    tokenSha256: sha256OfToken(token),
    state: 'registered',
    outcome: null,
    createdAt: now,
    expiresAt: new Date(Math.min(now.getTime() + validMs, challenge?.expiresAt.getTime() ?? Infinity)),
    startedAt: null,
    leaseUntil: null,
    endedAt: null,
  };
  await context.store.transaction(caller.tenantId, async (tx) => {
    if (request.protocol === 'audiohook' && call.callId !== null) {
      const [other] = await tx.streams.registeredFor(request.protocol, [call.callId], now);
      if (other !== undefined) throw registeredAlready();
    }
    await tx.streams.insert(row);
  });
  return { streamId: row.streamId, token, expiresAt: row.expiresAt, challenge };
}

/** The state of a stream that this key registered. @throws VoicegateError `stream_unknown` */
export async function getStream(context: ServiceContext, caller: Caller, streamId: string): Promise<StreamView> {
  const row = await context.store.transaction(caller.tenantId, (tx) => tx.streams.get(streamId));
  if (row === null || !maySee(caller, row.apiKeyId))
    throw new VoicegateError('stream_unknown', 'There is no such stream');
  const { terms, state, createdAt, expiresAt, startedAt, endedAt } = row;
  const expired = state === 'registered' && expiresAt <= context.now();
  const outcome = row.outcome === null ? null : shownOutcome(caller, row.outcome);
  return {
    streamId,
    mode: terms.mode,
    protocol: terms.protocol,
    state: expired ? 'expired' : state,
    createdAt,
    expiresAt,
    startedAt,
    endedAt,
    outcome,
  };
}

/** A key sees its own streams; analysts and admins see all of the tenant. */
export const maySee = (caller: Caller, apiKeyId: string): boolean =>
  apiKeyId === (caller.apiKeyId ?? 'command-line') ||
  caller.roles.includes('analyst') ||
  caller.roles.includes('admin');

/** Reasons are for `full` keys. */
export function shownOutcome(caller: Pick<Caller, 'answer'>, outcome: StreamOutcome): StreamOutcome {
  return caller.answer === 'full' || outcome.kind === 'enrolled' ? outcome : { ...outcome, reasons: [] };
}

/** AudioHook finds its call by this id: two would be one too many. */
const registeredAlready = (): VoicegateError =>
  new VoicegateError('conflict', 'The call with this callId is registered already and was not taken yet', {
    hint: 'Let AudioHook take it, or wait until it has expired',
  });

async function accountOf(context: ServiceContext, caller: Caller, request: StreamRequest): Promise<string> {
  if (request.mode !== 'enrolment') {
    if (request.accountId !== null && request.enrolmentId === null) return request.accountId;
    throw new VoicegateError('invalid_request', `Mode ${request.mode} takes accountId, and no enrolmentId`);
  }
  if (request.enrolmentId === null || request.accountId !== null) {
    throw new VoicegateError('invalid_request', 'Mode enrolment takes enrolmentId, and no accountId', {
      hint: 'Start one with POST /v1/accounts/{accountId}/enrolments',
    });
  }
  const { enrolmentId } = request;
  const { row } = await context.store.transaction(caller.tenantId, (tx) => ongoing(context, caller, tx, enrolmentId));
  return row.accountId;
}
