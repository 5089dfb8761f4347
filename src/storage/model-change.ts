import type { CandidateRow, ModelChangeTable, ModelPrints } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';
import { fromSql, toSql } from './vector.js';

interface CandidateColumns {
  verification_id: string;
  account_id: string;
  model_id: string;
  base_voiceprint_id: string;
  embedding: string;
  net_speech_seconds: number;
  created_at: Date;
}

interface CountColumns {
  both: number;
  moved: number;
  waiting: number;
  gathering: number;
  utterances_gathered: number;
  calling: number;
  calls: number;
  missing_per_call: number | null;
  first_call_at: Date | null;
}

const columns = 'verification_id, account_id, model_id, base_voiceprint_id, embedding, net_speech_seconds, created_at';

/** What of a tenant's voiceprints moves from one model to another: the candidates, the counts, and the steps over many accounts. */
export function modelChangeTable(query: TenantQuery): ModelChangeTable {
  return {
    async candidates(accountId, modelId) {
      const rows = await query<CandidateColumns>(
        `select ${columns} from voiceprint_candidates
         where tenant_id = $1 and account_id = $2 and model_id = $3 order by ordinal`,
        accountId,
        modelId,
      );
      return rows.map(toRow);
    },
    async addCandidate(row) {
      await query(
        `insert into voiceprint_candidates (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        row.verificationId,
        row.accountId,
        row.modelId,
        row.baseVoiceprintId,
        toSql(row.embedding),
        row.netSpeechSeconds,
        row.createdAt,
      );
    },
    async dropCandidate(verificationId, modelId) {
      await query(
        'delete from voiceprint_candidates where tenant_id = $1 and verification_id = $2 and model_id = $3',
        verificationId,
        modelId,
      );
    },
    async dropCandidates(accountId, modelId) {
      await query(
        'delete from voiceprint_candidates where tenant_id = $1 and account_id = $2 and model_id = $3',
        accountId,
        modelId,
      );
    },
    async prints() {
      const rows = await query<{ model_id: string } & Omit<ModelPrints, 'modelId'>>(
        `select model_id, count(*)::integer as voiceprints,
           (count(*) filter (where derived_from_voiceprint_id is not null))::integer as derived
         from voiceprints where tenant_id = $1 and superseded_at is null group by model_id order by model_id`,
      );
      return rows.map(({ model_id: modelId, voiceprints, derived }) => ({ modelId, voiceprints, derived }));
    },
    async counts(modelId, utterances, minVoiceLlr, since) {
      const [row] = await query<CountColumns>(countsText, modelId, utterances, minVoiceLlr, since);
      if (row === undefined) throw new Error('a select of counts answered nothing');
      return {
        both: row.both,
        moved: row.moved,
        waiting: row.waiting,
        gathering: row.gathering,
        utterancesGathered: row.utterances_gathered,
        calling: row.calling,
        calls: row.calls,
        medianMissingPerCall: row.missing_per_call,
        firstCallAt: row.first_call_at,
      };
    },
    async undoable(modelId, limit) {
      return ids(
        await query(
          `select account_id from voiceprint_candidates c where c.tenant_id = $1 and c.model_id = $2
           union select account_id from voiceprints v where v.tenant_id = $1 and ${undoable}
           order by account_id limit $3`,
          modelId,
          limit,
        ),
      );
    },
    async undo(modelId, accountId) {
      const candidates = await query(
        'delete from voiceprint_candidates where tenant_id = $1 and model_id = $2 and account_id = $3 returning 1',
        modelId,
        accountId,
      );
      const voiceprints = await query(
        `delete from voiceprints v where v.tenant_id = $1 and v.account_id = $3 and ${undoable} returning 1`,
        modelId,
        accountId,
      );
      return { voiceprints: voiceprints.length, candidates: candidates.length };
    },
    async finishable(modelId, limit) {
      return ids(
        await query(
          `select distinct account_id from voiceprints v where v.tenant_id = $1 and ${finishable}
           order by account_id limit $3`,
          modelId,
          limit,
        ),
      );
    },
    async finish(modelId, accountId) {
      const erased = await query(
        `delete from voiceprints v where v.tenant_id = $1 and v.account_id = $3 and ${finishable} returning 1`,
        modelId,
        accountId,
      );
      return erased.length;
    },
  };
}

/** Erases what was gathered of an account, for whatever model. */
export async function eraseCandidates(query: TenantQuery, accountId: string): Promise<void> {
  await query('delete from voiceprint_candidates where tenant_id = $1 and account_id = $2', accountId);
}

/** Of a row v: a derived print by model $2 in whose place another can judge. */
const undoable = `v.model_id = $2 and v.superseded_at is null and v.derived_from_voiceprint_id is not null
  and exists (select 1 from voiceprints o where o.tenant_id = $1 and o.account_id = v.account_id
              and o.model_id <> $2 and o.superseded_at is null)`;

/** Of a row v: a print by another model than $2 where one by $2 judges. */
const finishable = `v.model_id <> $2
  and exists (select 1 from voiceprints n where n.tenant_id = $1 and n.account_id = v.account_id
              and n.model_id = $2 and n.superseded_at is null)`;

/** On the way to model $2: $3 utterances make a print, a call gives one from LLR $4 on, calls are counted since $5. */
const countsText = `
  with holders as (
    select account_id, bool_or(model_id = $2) as has_new, bool_or(model_id <> $2) as has_old
    from voiceprints where tenant_id = $1 and superseded_at is null group by account_id
  ), gathered as (
    select account_id, count(*) as utterances from voiceprint_candidates
    where tenant_id = $1 and model_id = $2 group by account_id
  ), calls as (
    select account_id, count(*) as calls from verifications
    where tenant_id = $1 and tier = 'high' and decision = 'ACCEPT' and account_id is not null and created_at >= $5
      and (evidence #>> '{voice,llr}')::double precision >= $4
    group by account_id
  ), earliest as (
    select min(created_at) as at from verifications where tenant_id = $1 and created_at >= $5
  ), waiting as (
    select coalesce(g.utterances, 0) as utterances, c.calls
    from holders h left join gathered g using (account_id) left join calls c using (account_id) where not h.has_new
  )
  select
    (select count(*)::integer from holders where has_new and has_old) as both,
    (select count(*)::integer from holders where has_new and not has_old) as moved,
    count(*)::integer as waiting,
    (count(*) filter (where utterances > 0))::integer as gathering,
    coalesce(sum(utterances), 0)::integer as utterances_gathered,
    count(calls)::integer as calling,
    coalesce(sum(calls), 0)::integer as calls,
    percentile_cont(0.5) within group (order by greatest($3::integer - utterances, 1) / calls::double precision)
      filter (where calls is not null) as missing_per_call,
    (select at from earliest) as first_call_at
  from waiting`;

const ids = (rows: readonly object[]): string[] => (rows as { account_id: string }[]).map((row) => row.account_id);

function toRow(row: CandidateColumns): CandidateRow {
  return {
    verificationId: row.verification_id,
    accountId: row.account_id,
    modelId: row.model_id,
    baseVoiceprintId: row.base_voiceprint_id,
    embedding: fromSql(row.embedding),
    netSpeechSeconds: row.net_speech_seconds,
    createdAt: row.created_at,
  };
}
