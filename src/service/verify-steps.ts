import { challengeState } from '../challenge/challenge-state.js';
import { checkResponse } from '../challenge/check-response.js';
import { notPerformed, type PhraseResult } from '../challenge/phrase.js';
import { gate as attemptGate } from '../decision/attempts.js';
import type { AccountEvidence, ChallengeEvidence, Evidence, VoiceEvidence } from '../decision/evidence.js';
import { VoicegateError } from '../errors.js';
import { fuse } from '../scoring/fusion.js';
import { scoreVoice } from '../scoring/score-voice.js';
import { optOutHash, scorerOf, type Caller, type ServiceContext } from './context.js';
import type { Heard } from './listen.js';
import type { ActivePrint, ChallengeRow, Standing, Tx } from './ports.js';
import { listenerFor } from './prints.js';
import type { AttemptRequest } from './verification-request.js';

/** What is known before anybody listens. */
export interface OpenedVerification {
  readonly account: AccountEvidence;
  /** There is such an account. */
  readonly known: boolean;
  readonly pinHash: string | null;
  readonly challenge: ChallengeEvidence;
  /** This request, and no other, took the challenge: its audio will be judged. */
  readonly judged: boolean;
  /** What is to be said; null for a challenge that is unknown, and where free speech is judged. */
  readonly digits: string | null;
  readonly language: ChallengeRow['language'];
  readonly gateOpen: boolean;
  /** The loaded model that listens: the one that made the account's print, else the active one. */
  readonly modelId: string;
  /** CONTINUE answers in the chain so far. */
  readonly continuesGiven: number;
}

/** Reads the account's standing and takes the challenge: judged or not, from here on it is used up. */
export async function openVerification(
  context: ServiceContext,
  caller: Caller,
  tx: Tx,
  request: AttemptRequest,
  line: Uint8Array | null,
): Promise<OpenedVerification> {
  const now = context.now();
  const continuesGiven = await continuesSoFar(tx, caller, request);
  const standing = await tx.standing(request.accountId, optOutHash(context, caller, request.accountId));
  const { challenge, state } = await takeChallenge(tx, request, line, now);
  return {
    account: accountEvidence(standing),
    known: standing.account !== null,
    pinHash: standing.account?.pinHash ?? null,
    challenge: state,
    judged: state === 'valid' || state === 'not_required',
    digits: challenge?.digits ?? null,
    language: challenge?.language ?? 'zh',
    gateOpen: attemptGate(standing.attempts, now).open,
    modelId: listenerFor(context, standing.prints),
    continuesGiven,
  };
}

async function takeChallenge(
  tx: Tx,
  { accountId, challengeId }: AttemptRequest,
  line: Uint8Array | null,
  now: Date,
): Promise<{ readonly challenge: ChallengeRow | null; readonly state: ChallengeEvidence }> {
  if (challengeId === null) return { challenge: null, state: 'not_required' };
  const challenge = await tx.challenges.get(challengeId);
  const state = challengeState(challenge, { accountId, purpose: 'verification', lineHash: line }, now);
  const lost = state === 'valid' && !(await tx.challenges.claim(challengeId, now));
  return { challenge, state: lost ? 'reused' : state };
}

/** Whether the account's voice may be judged. */
export function accountEvidence({ account, optedOut, consented, prints }: Standing): AccountEvidence {
  if (optedOut) return 'opted_out';
  if (account === null || prints.length === 0) return 'not_enrolled';
  return consented ? 'enrolled' : 'consent_missing';
}

/** Scores of what was heard against the print. */
export function compareVoice(
  context: ServiceContext,
  print: ActivePrint | null,
  heard: Heard,
  now: Date,
): VoiceEvidence {
  if (print === null || heard.embedding === null) return { kind: 'not_compared' };
  const { modelId } = heard.embedding;
  if (print.modelId !== modelId) return { kind: 'model_mismatch', voiceprintModelId: print.modelId, modelId };
  const scorer = scorerOf(context, modelId);
  return {
    kind: 'compared',
    ...scoreVoice({ enrolment: print, test: { ...heard.embedding, snrDb: heard.report.snrDb } }, scorer),
    modelId,
    calibrationVersion: scorer.calibration.version,
    voiceprintAgeSeconds: Math.max(0, (now.getTime() - print.enrolledAt.getTime()) / 1000),
    voiceprintReplacedAnother: print.supersedesVoiceprintId !== null,
  };
}

/** Whether the challenge's digits were said. */
export function comparePhrase({ digits }: OpenedVerification, heard: Heard): PhraseResult {
  return digits === null || heard.digits === null ? notPerformed : checkResponse(digits, heard.digits);
}

/** The evidence with voice, phrase and PIN fused into one ratio, by the calibration of the model that listened. */
export function withFused(context: ServiceContext, evidence: Omit<Evidence, 'fused'>): Evidence {
  const { voice, phrase, pin } = evidence;
  if (voice.kind !== 'compared') return { ...evidence, fused: null };
  const { fusion } = scorerOf(context, voice.modelId).calibration;
  const phraseLlr = phrase.kind === 'checked' ? phrase.llr : null;
  return { ...evidence, fused: fuse({ voiceLlr: voice.llr, phraseLlr, rightPin: pin === 'right' }, fusion) };
}

/** A chain goes on from its last CONTINUE only, once. Called under the account's lock. @throws VoicegateError `conflict` */
export async function checkNotContinued(tx: Tx, continues: string | null): Promise<void> {
  if (continues !== null && (await tx.verifications.isContinued(continues))) {
    throw new VoicegateError('conflict', 'Another verification already continues that one', {
      hint: 'Send the id of the latest verification of the call in continues',
    });
  }
}

async function continuesSoFar(tx: Tx, caller: Caller, request: AttemptRequest): Promise<number> {
  const { continues, accountId, call } = request;
  const inCall = call.callId === null ? 0 : await tx.verifications.continuesInCall(accountId, call.callId);
  if (continues === null) return inCall;
  const earlier = await tx.verifications.get(continues);
  if (earlier === null || earlier.accountId !== accountId || earlier.apiKeyId !== caller.apiKeyId) {
    throw new VoicegateError('verification_unknown', 'continues names no verification of this account by this key', {
      hint: 'Send the verificationId of the answer that said CONTINUE, or leave continues out',
    });
  }
  if (earlier.decision.kind !== 'CONTINUE') {
    throw new VoicegateError('conflict', `continues names a verification that was answered ${earlier.decision.kind}`, {
      hint: 'Only a CONTINUE can be continued',
    });
  }
  await checkNotContinued(tx, continues);
  return Math.max(inCall, earlier.continuesGiven);
}
