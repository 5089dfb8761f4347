import type { QualityReport } from '../audio/waveform.js';
import { notPerformed } from '../challenge/phrase.js';
import type { Reason } from '../decision/reasons.js';
import { VoicegateError } from '../errors.js';
import { judgeUtterance } from '../voiceprint/judge-utterance.js';
import { actorOf, policyOf, type Caller, type ServiceContext } from './context.js';
import { hintAfter, type EnrolmentHint } from './enrolment-hints.js';
import { progressOf } from './enrolment-view.js';
import type { AudioInput } from './listen.js';
import type { AgentVoiceprintRow } from './ports.js';

/** What an agent agreed to: the voice of somebody who works here is as much theirs as a caller's is. */
export interface AgentConsent {
  readonly textVersion: string;
  readonly reference: string | null;
}

/** An agent's voice as the operator sees it. */
export interface AgentVoiceprintView {
  readonly agentId: string;
  /** The models that know it. */
  readonly modelIds: readonly string[];
  readonly netSpeechSeconds: number;
  readonly consentTextVersion: string;
  readonly consentReference: string | null;
  readonly createdAt: Date;
}

/** The answer to an agent's recording. */
export interface AgentVoiceprintAnswer {
  /** Null: it was not good enough, and what was there before stands. */
  readonly voiceprint: AgentVoiceprintView | null;
  /** Why not; empty when it was made. */
  readonly reasons: readonly Reason[];
  readonly quality: QualityReport;
  readonly hint: EnrolmentHint;
}

/**
 * Makes an agent's voiceprint of one recording, by each loaded model, in the place of any before it. It must hold as much speech as the policy asks of a
 * customer's enrolment, of one voice.
 * @throws VoicegateError audio codes, `busy`
 */
export async function putAgentVoiceprint(
  context: ServiceContext,
  caller: Caller,
  agentId: string,
  audio: AudioInput,
  consent: AgentConsent,
): Promise<AgentVoiceprintAnswer> {
  const { ears } = context;
  const policy = await context.store.transaction(caller.tenantId, async (tx) => policyOf(context, caller, tx, null));
  const rules = policy.document;
  const heard = await ears.hear(await ears.decode(audio), { hears: 'caller', otherHears: 'caller' });
  const enough = rules.enrolment.netSpeechSeconds;
  const reasons = judgeUtterance(heard, notPerformed, {
    ...rules,
    enrolment: { ...rules.enrolment, minUtteranceNetSpeechSeconds: enough },
  });
  const progress = { ...progressOf([], rules), complete: true };
  const hint = hintAfter(reasons, heard.report, progress, rules);
  if (reasons.length > 0) return { voiceprint: null, reasons, quality: heard.report, hint };
  const rows = await context.store.transaction(caller.tenantId, async (tx) => {
    const createdAt = context.now();
    const made = [heard.embedding, heard.otherEmbedding]
      .filter((one) => one !== null)
      .map(({ modelId, vector, netSpeechSeconds }): AgentVoiceprintRow => {
        const { textVersion, reference } = consent;
        const facts = { consentTextVersion: textVersion, consentReference: reference, createdAt };
        return { agentId, modelId, vector, netSpeechSeconds, ...facts };
      });
    const voiceprintsErased = await tx.agents.replace(agentId, made);
    await tx.audit.append(
      {
        kind: 'agent_voiceprint_created',
        by: actorOf(caller),
        ofAgent: agentId,
        modelIds: made.map(({ modelId }) => modelId),
        consentTextVersion: consent.textVersion,
        replaced: voiceprintsErased > 0,
      },
      createdAt,
    );
    return made;
  });
  return { voiceprint: viewOf(rows), reasons, quality: heard.report, hint };
}

/** @throws VoicegateError `not_found` */
export async function getAgentVoiceprint(
  context: ServiceContext,
  caller: Caller,
  agentId: string,
): Promise<AgentVoiceprintView> {
  return viewOf(await context.store.transaction(caller.tenantId, (tx) => tx.agents.voiceprints(agentId)));
}

/** Erases the agent's voice: consent withdrawn, or the agent gone. @throws VoicegateError `not_found` */
export async function eraseAgentVoiceprint(context: ServiceContext, caller: Caller, agentId: string): Promise<void> {
  await context.store.transaction(caller.tenantId, async (tx) => {
    const voiceprintsErased = await tx.agents.replace(agentId, []);
    if (voiceprintsErased === 0) throw noVoiceprint();
    await tx.audit.append(
      { kind: 'agent_voiceprint_erased', by: actorOf(caller), ofAgent: agentId, voiceprintsErased },
      context.now(),
    );
  });
}

function viewOf(rows: readonly AgentVoiceprintRow[]): AgentVoiceprintView {
  const [first] = rows;
  if (first === undefined) throw noVoiceprint();
  const { agentId, netSpeechSeconds, consentTextVersion, consentReference, createdAt } = first;
  const modelIds = rows.map(({ modelId }) => modelId).sort();
  return { agentId, modelIds, netSpeechSeconds, consentTextVersion, consentReference, createdAt };
}

function noVoiceprint(): VoicegateError {
  return new VoicegateError('not_found', 'There is no voiceprint of this agent', {
    hint: 'Make one with PUT /v1/agents/{agentId}/voiceprint',
  });
}
