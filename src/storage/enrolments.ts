import type { EnrolmentRow, EnrolmentState, EnrolmentTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';
import { fromSql, toSql } from './vector.js';

interface Columns {
  enrolment_id: string;
  account_id: string;
  state: EnrolmentState;
  model_id: string;
  policy_version: number;
  language: 'zh' | 'en';
  prompts: string[];
  proof: EnrolmentRow['proof'];
  agent_id: string | null;
  api_key_id: string | null;
  replaces_voiceprint: boolean;
  created_at: Date;
  expires_at: Date;
  completed_at: Date | null;
}

interface UtteranceColumns {
  utterance_id: string;
  enrolment_id: string;
  model_id: string;
  embedding: string;
  net_speech_seconds: number;
  created_at: Date;
}

const columns = `enrolment_id, account_id, state, model_id, policy_version, language, prompts, proof, agent_id, api_key_id, replaces_voiceprint, created_at,
  expires_at, completed_at`;
const selectOne = `select ${columns} from enrolments where tenant_id = $1 and enrolment_id = $2`;

/** Enrolments in progress of one tenant, with the embeddings gathered so far. */
export function enrolmentTable(query: TenantQuery): EnrolmentTable {
  return {
    async get(enrolmentId) {
      return first(await query<Columns>(selectOne, enrolmentId));
    },
    async lock(enrolmentId) {
      return first(await query<Columns>(`${selectOne} for update`, enrolmentId));
    },
    async insert(row) {
      await query(
        `insert into enrolments (tenant_id, ${columns})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
        row.enrolmentId,
        row.accountId,
        row.state,
        row.modelId,
        row.policyVersion,
        row.language,
        row.prompts,
        row.proof,
        row.agentId,
        row.apiKeyId,
        row.replacesVoiceprint,
        row.createdAt,
        row.expiresAt,
        row.completedAt,
      );
    },
    async supersedeOpen(accountId) {
      await eraseOpenUtterances(query, accountId);
      await query(
        `update enrolments set state = 'superseded' where tenant_id = $1 and account_id = $2 and state = 'open'`,
        accountId,
      );
    },
    async setState(enrolmentId, state, at) {
      await query(
        `update enrolments set state = $3, completed_at = case when $3 = 'completed' then $4 else completed_at end
         where tenant_id = $1 and enrolment_id = $2`,
        enrolmentId,
        state,
        at,
      );
      if (state === 'open') return;
      await query('delete from enrolment_utterances where tenant_id = $1 and enrolment_id = $2', enrolmentId);
    },
    async addUtterance(row) {
      await query(
        `insert into enrolment_utterances
           (tenant_id, utterance_id, enrolment_id, model_id, embedding, net_speech_seconds, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        row.utteranceId,
        row.enrolmentId,
        row.modelId,
        toSql(row.embedding),
        row.netSpeechSeconds,
        row.createdAt,
      );
    },
    async utterances(enrolmentId, modelId) {
      const rows = await query<UtteranceColumns>(
        `select utterance_id, enrolment_id, model_id, embedding, net_speech_seconds, created_at
         from enrolment_utterances where tenant_id = $1 and enrolment_id = $2 and model_id = $3 order by ordinal`,
        enrolmentId,
        modelId,
      );
      return rows.map((row) => ({
        utteranceId: row.utterance_id,
        enrolmentId: row.enrolment_id,
        modelId: row.model_id,
        embedding: fromSql(row.embedding),
        netSpeechSeconds: row.net_speech_seconds,
        createdAt: row.created_at,
      }));
    },
  };
}

/** Erases what was gathered for enrolments of the account that are still open. */
export async function eraseOpenUtterances(query: TenantQuery, accountId: string): Promise<void> {
  await query(
    `delete from enrolment_utterances where tenant_id = $1 and enrolment_id in
       (select enrolment_id from enrolments where tenant_id = $1 and account_id = $2 and state = 'open')`,
    accountId,
  );
}

function first(rows: readonly Columns[]): EnrolmentRow | null {
  const row = rows[0];
  if (row === undefined) return null;
  return {
    enrolmentId: row.enrolment_id,
    accountId: row.account_id,
    state: row.state,
    modelId: row.model_id,
    policyVersion: row.policy_version,
    language: row.language,
    prompts: row.prompts,
    proof: row.proof,
    agentId: row.agent_id,
    apiKeyId: row.api_key_id,
    replacesVoiceprint: row.replaces_voiceprint,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    completedAt: row.completed_at,
  };
}
