import type { AgentTable, AgentVoiceprintRow } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';
import { fromSql, toSql } from './vector.js';

interface Columns {
  agent_id: string;
  model_id: string;
  embedding: string;
  net_speech_seconds: number;
  consent_text_version: string;
  consent_reference: string | null;
  created_at: Date;
}

const columns =
  'agent_id, model_id, embedding, net_speech_seconds, consent_text_version, consent_reference, created_at';

/** Voices of one tenant's agents. */
export function agentTable(query: TenantQuery): AgentTable {
  const select = (agentId: string): Promise<Columns[]> =>
    query<Columns>(
      `select ${columns} from agent_voiceprints where tenant_id = $1 and agent_id = $2 order by model_id`,
      agentId,
    );
  return {
    async voiceprints(agentId) {
      return (await select(agentId)).map(toRow);
    },
    async voiceprint(agentId, modelId) {
      const row = (await select(agentId)).find((one) => one.model_id === modelId);
      return row === undefined ? null : toRow(row);
    },
    async replace(agentId, rows) {
      const erased = await query(
        'delete from agent_voiceprints where tenant_id = $1 and agent_id = $2 returning model_id',
        agentId,
      );
      for (const row of rows) {
        await query(
          `insert into agent_voiceprints (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
          row.agentId,
          row.modelId,
          toSql(row.vector),
          row.netSpeechSeconds,
          row.consentTextVersion,
          row.consentReference,
          row.createdAt,
        );
      }
      return erased.length;
    },
  };
}

function toRow(row: Columns): AgentVoiceprintRow {
  return {
    agentId: row.agent_id,
    modelId: row.model_id,
    vector: fromSql(row.embedding),
    netSpeechSeconds: row.net_speech_seconds,
    consentTextVersion: row.consent_text_version,
    consentReference: row.consent_reference,
    createdAt: row.created_at,
  };
}
