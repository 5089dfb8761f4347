import type { VoiceprintRow, VoiceprintTable } from '../service/ports.js';
import { eraseOpenUtterances } from './enrolments.js';
import { eraseCandidates } from './model-change.js';
import type { TenantQuery } from './tenant-query.js';
import { fromSql, toSql } from './vector.js';

interface Columns {
  voiceprint_id: string;
  account_id: string;
  model_id: string;
  embedding: string;
  net_speech_seconds: number;
  created_at: Date;
  enrolled_at: Date;
  derived_from_voiceprint_id: string | null;
  supersedes_voiceprint_id: string | null;
  superseded_at: Date | null;
  enrolment_id: string | null;
}

interface UtteranceColumns {
  embedding: string;
  net_speech_seconds: number;
}

const columns = `voiceprint_id, account_id, model_id, embedding, net_speech_seconds, created_at, enrolled_at,
  derived_from_voiceprint_id, supersedes_voiceprint_id, superseded_at, enrolment_id`;

/** Voiceprints of one tenant: at most one active per account and model, the earlier ones kept as superseded. */
export function voiceprintTable(query: TenantQuery): VoiceprintTable {
  return {
    async active(accountId) {
      const rows = await query<Columns>(
        `select ${columns} from voiceprints where tenant_id = $1 and account_id = $2 and superseded_at is null
         order by created_at, voiceprint_id`,
        accountId,
      );
      const prints: VoiceprintRow[] = [];
      for (const row of rows) prints.push(toRow(row, await utterancesOf(query, row.voiceprint_id)));
      return prints;
    },
    async replace(accountId, enrolmentId, rows, at) {
      await eraseCandidates(query, accountId);
      await query(
        `update voiceprints set superseded_at = $3, superseded_by_enrolment_id = $4
         where tenant_id = $1 and account_id = $2 and superseded_at is null`,
        accountId,
        at,
        enrolmentId,
      );
      for (const row of rows) await insert(query, row);
    },
    async undo(accountId, enrolmentId) {
      const [made] = await query<{ active: boolean | null }>(
        `select bool_and(superseded_at is null) as active from voiceprints
         where tenant_id = $1 and account_id = $2 and enrolment_id = $3`,
        accountId,
        enrolmentId,
      );
      if (made?.active !== true) return null;
      await eraseCandidates(query, accountId);
      const erased = await query(
        `delete from voiceprints where tenant_id = $1 and account_id = $2 and (enrolment_id = $3 or derived_from_voiceprint_id in
           (select voiceprint_id from voiceprints where tenant_id = $1 and account_id = $2 and enrolment_id = $3))
         returning voiceprint_id`,
        accountId,
        enrolmentId,
      );
      const restored = await query<{ voiceprint_id: string }>(
        `update voiceprints set superseded_at = null, superseded_by_enrolment_id = null
         where tenant_id = $1 and account_id = $2 and superseded_by_enrolment_id = $3 returning voiceprint_id`,
        accountId,
        enrolmentId,
      );
      return { erased: erased.length, restored: restored.map((row) => row.voiceprint_id).sort() };
    },
    async nearest(modelId, vector, exceptAccountId, limit) {
      const [all] = await query<{ count: number }>(
        `select count(*)::int as count from voiceprints
         where tenant_id = $1 and model_id = $2 and superseded_at is null and account_id <> $3`,
        modelId,
        exceptAccountId,
      );
      const rows = await query<Columns>(
        `select ${columns} from voiceprints
         where tenant_id = $1 and model_id = $2 and superseded_at is null and account_id <> $3
         order by embedding <=> $4::vector, voiceprint_id limit $5`,
        modelId,
        exceptAccountId,
        toSql(vector),
        limit,
      );
      return { prints: rows.map((row) => toRow(row, [])), searched: all?.count ?? 0 };
    },
    add: (row) => insert(query, row),
    async eraseAll(accountId) {
      await eraseOpenUtterances(query, accountId);
      await eraseCandidates(query, accountId);
      const erased = await query(
        'delete from voiceprints where tenant_id = $1 and account_id = $2 returning voiceprint_id',
        accountId,
      );
      return erased.length;
    },
  };
}

async function insert(query: TenantQuery, row: VoiceprintRow): Promise<void> {
  await query(
    `insert into voiceprints (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    row.voiceprintId,
    row.accountId,
    row.modelId,
    toSql(row.vector),
    row.netSpeechSeconds,
    row.createdAt,
    row.enrolledAt,
    row.derivedFromVoiceprintId,
    row.supersedesVoiceprintId,
    row.supersededAt,
    row.enrolmentId,
  );
  for (const [position, utterance] of row.utterances.entries()) {
    await query(
      `insert into voiceprint_utterances (tenant_id, voiceprint_id, position, embedding, net_speech_seconds)
       values ($1, $2, $3, $4, $5)`,
      row.voiceprintId,
      position,
      toSql(utterance.vector),
      utterance.netSpeechSeconds,
    );
  }
}

function utterancesOf(query: TenantQuery, voiceprintId: string): Promise<UtteranceColumns[]> {
  return query<UtteranceColumns>(
    `select embedding, net_speech_seconds from voiceprint_utterances
     where tenant_id = $1 and voiceprint_id = $2 order by position`,
    voiceprintId,
  );
}

function toRow(row: Columns, utterances: readonly UtteranceColumns[]): VoiceprintRow {
  return {
    voiceprintId: row.voiceprint_id,
    accountId: row.account_id,
    modelId: row.model_id,
    vector: fromSql(row.embedding),
    utterances: utterances.map((utterance) => ({
      vector: fromSql(utterance.embedding),
      netSpeechSeconds: utterance.net_speech_seconds,
    })),
    netSpeechSeconds: row.net_speech_seconds,
    createdAt: row.created_at,
    enrolledAt: row.enrolled_at,
    derivedFromVoiceprintId: row.derived_from_voiceprint_id,
    supersedesVoiceprintId: row.supersedes_voiceprint_id,
    supersededAt: row.superseded_at,
    enrolmentId: row.enrolment_id,
  };
}
