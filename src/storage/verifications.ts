import type { Evidence } from '../decision/evidence.js';
import type { DecisionKind, Reason, Tier } from '../decision/reasons.js';
import type { VerificationOutcome, VerificationRow, VerificationTable } from '../service/ports.js';
import type { TenantQuery } from './tenant-query.js';

interface Columns {
  verification_id: string;
  account_id: string | null;
  pseudonym: string | null;
  api_key_id: string;
  challenge_id: string | null;
  continues_verification_id: string | null;
  continues_given: number;
  tier: Tier;
  decision: DecisionKind;
  reasons: Reason[];
  evidence: Evidence;
  policy_version: number;
  model_id: string;
  call_id: string | null;
  line_hash: Buffer | null;
  channel: string | null;
  agent_id: string | null;
  created_at: Date;
  timings_ms: Record<string, number>;
  outcome_factor: string | null;
  outcome_passed: boolean | null;
  outcome_label: VerificationOutcome['label'];
  outcome_recorded_at: Date | null;
}

const columns = `verification_id, account_id, pseudonym, api_key_id, challenge_id, continues_verification_id,
  continues_given, tier, decision, reasons, evidence, policy_version, model_id, call_id, line_hash, channel, agent_id,
  created_at, timings_ms, outcome_factor, outcome_passed, outcome_label, outcome_recorded_at`;
const selectOne = `select ${columns} from verifications where tenant_id = $1 and verification_id = $2`;

/** The judgements of one tenant. */
export function verificationTable(query: TenantQuery): VerificationTable {
  return {
    async get(verificationId) {
      return first(await query<Columns>(selectOne, verificationId));
    },
    async lock(verificationId) {
      return first(await query<Columns>(`${selectOne} for update`, verificationId));
    },
    async insert(row) {
      await query(
        `insert into verifications (tenant_id, ${columns})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
        row.verificationId,
        row.accountId,
        row.pseudonym,
        row.apiKeyId,
        row.challengeId,
        row.continuesVerificationId,
        row.continuesGiven,
        row.tier,
        row.decision.kind,
        row.decision.reasons,
        JSON.stringify(row.evidence),
        row.policyVersion,
        row.modelId,
        row.callId,
        row.lineHash,
        row.channel,
        row.agentId,
        row.createdAt,
        JSON.stringify(row.timingsMs),
        row.outcome?.factor ?? null,
        row.outcome?.passed ?? null,
        row.outcome?.label ?? null,
        row.outcome?.recordedAt ?? null,
      );
    },
    async setOutcome(verificationId, outcome) {
      await query(
        `update verifications set outcome_factor = $3, outcome_passed = $4, outcome_label = $5, outcome_recorded_at = $6
         where tenant_id = $1 and verification_id = $2`,
        verificationId,
        outcome.factor,
        outcome.passed,
        outcome.label,
        outcome.recordedAt,
      );
    },
    async continuesInCall(accountId, callId) {
      const [counted] = await query<{ continues: number }>(
        `select count(*)::integer as continues from verifications
         where tenant_id = $1 and account_id = $2 and call_id = $3 and decision = 'CONTINUE'`,
        accountId,
        callId,
      );
      return counted?.continues ?? 0;
    },
    async isContinued(verificationId) {
      const followers = await query(
        'select 1 from verifications where tenant_id = $1 and continues_verification_id = $2 limit 1',
        verificationId,
      );
      return followers.length > 0;
    },
  };
}

function first(rows: readonly Columns[]): VerificationRow | null {
  const row = rows[0];
  if (row === undefined) return null;
  return {
    verificationId: row.verification_id,
    accountId: row.account_id,
    pseudonym: row.pseudonym,
    apiKeyId: row.api_key_id,
    challengeId: row.challenge_id,
    continuesVerificationId: row.continues_verification_id,
    continuesGiven: row.continues_given,
    tier: row.tier,
    decision: { kind: row.decision, reasons: row.reasons },
    evidence: row.evidence,
    policyVersion: row.policy_version,
    modelId: row.model_id,
    callId: row.call_id,
    lineHash: row.line_hash,
    channel: row.channel,
    agentId: row.agent_id,
    createdAt: row.created_at,
    timingsMs: row.timings_ms,
    outcome: outcomeOf(row),
  };
}

function outcomeOf(row: Columns): VerificationOutcome | null {
  if (row.outcome_recorded_at === null) return null;
  return {
    factor: row.outcome_factor,
    passed: row.outcome_passed,
    label: row.outcome_label,
    recordedAt: row.outcome_recorded_at,
  };
}
