import { checkAgainstAny } from '../challenge/check-response.js';
import { enrolmentPrompts } from '../challenge/draw.js';
import type { Language } from '../challenge/languages.js';
import { notPerformed, type PhraseResult } from '../challenge/phrase.js';
import type { QualityReport, Waveform } from '../audio/waveform.js';
import type { PolicyDocument } from '../decision/policy.js';
import type { Reason } from '../decision/reasons.js';
import { VoicegateError } from '../errors.js';
import { judgeUtterance, type AgentInUtterance } from '../voiceprint/judge-utterance.js';
import { requireConsent } from './accounts.js';
import { recordConsent, type ConsentRequest } from './consents.js';
import { likeness } from './agent-voice.js';
import { accountPseudonym, actorOf, newId, type Caller, type ServiceContext } from './context.js';
import { hintAfter, type EnrolmentHint } from './enrolment-hints.js';
import { found, hold, keptOf, mayHear, ongoing, policyFor, stillOpen } from './enrolment-steps.js';
import { enrolmentView, progressOf, type EnrolmentProgress, type EnrolmentView } from './enrolment-view.js';
import type { AudioInput, Heard } from './listen.js';
import type { EnrolmentRow } from './ports.js';
import { withProof, type ProofRequest } from './proof.js';

/** The answer to one utterance. */
export interface UtteranceAnswer {
  readonly accepted: boolean;
  /** Why not; empty when accepted. */
  readonly reasons: readonly Reason[];
  readonly quality: QualityReport;
  /** Whether one of the enrolment's prompts was said; in an experimental language it only informs, unless the policy trusts it. */
  readonly phrase: PhraseResult;
  readonly progress: EnrolmentProgress;
  /** What to do next. */
  readonly hint: EnrolmentHint;
}

/**
 * Starts an enrolment; an open one of the account is given up.
 * @param request.consent given with the request: recorded if the proof is good, so that nobody consents for somebody else's account
 * @throws VoicegateError those of `withProof` and `requireConsent`
 */
export async function startEnrolment(
  context: ServiceContext,
  caller: Caller,
  accountId: string,
  request: { readonly language: Language; readonly proof: ProofRequest; readonly consent?: ConsentRequest },
): Promise<EnrolmentView> {
  const { consent } = request;
  return withProof(
    context,
    caller,
    accountId,
    'enrolment',
    request.proof,
    async (tx) => {
      if (consent === undefined) await requireConsent(context, caller, tx, accountId);
      return (await tx.voiceprints.active(accountId)).length > 0;
    },
    async (tx, account, proof, policy, now) => {
      if (consent !== undefined) await recordConsent(context, caller, tx, account, consent);
      const rules = policy.document.enrolment;
      const row: EnrolmentRow = {
        enrolmentId: newId('enr'),
        accountId,
        state: 'open',
        modelId: context.ears.modelIds[0],
        policyVersion: policy.version,
        language: request.language,
        prompts: enrolmentPrompts({ count: rules.maxUtterances, digits: rules.promptDigits }),
        proof: proof?.kind ?? 'agent',
        agentId: request.proof.agentId,
        apiKeyId: caller.apiKeyId,
        replacesVoiceprint: (await tx.voiceprints.active(accountId)).length > 0,
        createdAt: now,
        expiresAt: new Date(now.getTime() + rules.validitySeconds * 1000),
        completedAt: null,
      };
      await tx.enrolments.supersedeOpen(accountId);
      await tx.enrolments.insert(row);
      await tx.audit.append(
        {
          kind: 'enrolment_started',
          by: actorOf(caller, request.proof.agentId),
          account: accountPseudonym(account),
          enrolmentId: row.enrolmentId,
          proof: row.proof,
          reason: proof?.reason ?? null,
        },
        now,
      );
      return enrolmentView(row, [], policy.document);
    },
  );
}

/** @throws VoicegateError `enrolment_unknown` */
export async function getEnrolment(
  context: ServiceContext,
  caller: Caller,
  enrolmentId: string,
): Promise<EnrolmentView> {
  return context.store.transaction(caller.tenantId, async (tx) => {
    const row = found(await tx.enrolments.get(enrolmentId));
    return enrolmentView(row, await keptOf(tx, row), await policyFor(tx, row));
  });
}

/** Gives an open enrolment up and erases its utterances. @throws VoicegateError `enrolment_unknown`, `enrolment_closed` */
export async function cancelEnrolment(context: ServiceContext, caller: Caller, enrolmentId: string): Promise<void> {
  await context.store.transaction(caller.tenantId, async (tx) => {
    const { account, row } = await hold(tx, enrolmentId);
    const now = context.now();
    stillOpen(row, now);
    await tx.enrolments.setState(enrolmentId, 'cancelled', now);
    await tx.audit.append(
      { kind: 'enrolment_cancelled', by: actorOf(caller), account: accountPseudonym(account), enrolmentId },
      now,
    );
  });
}

/**
 * Hears one utterance, as it was sent or cut out of a call. Nothing is embedded without consent; what is not accepted is not kept.
 * @param findAgent looks for the agent in it; absent: by the agent's own voiceprint, where there is one
 * @throws VoicegateError `enrolment_unknown`, `enrolment_closed`, `model_mismatch`, `opted_out`, `consent_missing`, audio codes, `busy`
 */
export async function addUtterance(
  context: ServiceContext,
  caller: Caller,
  enrolmentId: string,
  audio: AudioInput | Waveform,
  findAgent?: (heard: Heard) => Promise<AgentInUtterance>,
): Promise<UtteranceAnswer> {
  const { rules, began, agent } = await context.store.transaction(caller.tenantId, async (tx) => {
    const { row, policy, progress } = await ongoing(context, caller, tx, enrolmentId);
    roomForOneMore(progress.utterances, policy);
    const { agentId, modelId } = row;
    return { rules: policy, began: row, agent: agentId === null ? null : await tx.agents.voiceprint(agentId, modelId) };
  });
  const { modelId, language, prompts } = began;
  const heard = await hearUtterance(context, audio, modelId, language);
  const phrase = heard.digits === null ? notPerformed : checkAgainstAny(prompts, heard.digits);
  const inIt = (await findAgent?.(heard)) ?? {
    llr: await likeness(context, agent === null ? [] : [agent], heard),
    leakage: 0,
  };
  const refused = judgeUtterance(heard, phrase, rules, inIt);
  return context.store.transaction(caller.tenantId, async (tx) => {
    // Under the account's lock, as everything that ends a consent: what it erases cannot come in behind its back.
    const { row } = await hold(tx, enrolmentId);
    await mayHear(context, caller, tx, row);
    if (refused.length === 0 && heard.embedding !== null) {
      roomForOneMore((await keptOf(tx, row)).length, rules);
      const facts = { utteranceId: newId('utt'), enrolmentId, createdAt: context.now() };
      for (const { modelId: byModel, vector, netSpeechSeconds } of [heard.embedding, heard.otherEmbedding].filter(
        (one) => one !== null,
      )) {
        await tx.enrolments.addUtterance({ ...facts, modelId: byModel, embedding: vector, netSpeechSeconds });
      }
    }
    const progress = progressOf(await keptOf(tx, row), rules);
    return {
      accepted: refused.length === 0,
      reasons: refused,
      quality: heard.report,
      phrase,
      progress,
      hint: hintAfter(refused, heard.report, progress, rules),
    };
  });
}

/** A recording is listened to for the digits it was asked for; a piece of a call is free speech. */
async function hearUtterance(
  { ears, liveEars }: ServiceContext,
  audio: AudioInput | Waveform,
  modelId: string,
  language: Language,
): Promise<Heard> {
  const listeners = { hears: 'caller', modelId, otherHears: 'caller' } as const;
  if ('samples' in audio) return liveEars.hear(audio, listeners);
  return ears.hear(await ears.decode(audio), { ...listeners, digitsIn: language });
}

function roomForOneMore(kept: number, { enrolment }: PolicyDocument): void {
  if (kept < enrolment.maxUtterances) return;
  throw new VoicegateError('enrolment_closed', `The enrolment has its most utterances, ${kept}`, {
    hint: 'Complete it, or start again',
  });
}
