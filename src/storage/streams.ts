import type { PoolClient } from 'pg';
import type { StreamRow, StreamTable } from '../service/ports.js';
import { runPrepared, type TenantQuery } from './tenant-query.js';

interface Columns {
  tenant_id: string;
  stream_id: string;
  api_key_id: string;
  account_id: string;
  terms: StreamRow['terms'];
  line_hash: Buffer | null;
  pin: StreamRow['pin'];
  pin_mark: Buffer | null;
  token_sha256: Buffer;
  state: StreamRow['state'];
  outcome: StreamRow['outcome'];
  created_at: Date;
  expires_at: Date;
  started_at: Date | null;
  lease_until: Date | null;
  ended_at: Date | null;
}

const columns = `stream_id, api_key_id, account_id, terms, line_hash, pin, pin_mark, token_sha256, state, outcome, created_at, expires_at,
  started_at, lease_until, ended_at`;

/** Live calls of one tenant. */
export function streamTable(query: TenantQuery): StreamTable {
  return {
    async get(streamId) {
      const [row] = await query<Columns>(
        `select ${columns} from streams where tenant_id = $1 and stream_id = $2`,
        streamId,
      );
      return row === undefined ? null : toRow(row);
    },
    async insert(row) {
      await query(
        `insert into streams (tenant_id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
        row.streamId,
        row.apiKeyId,
        row.accountId,
        JSON.stringify(row.terms),
        row.lineHash,
        row.pin,
        row.pinMark,
        row.tokenSha256,
        row.state,
        row.outcome === null ? null : JSON.stringify(row.outcome),
        row.createdAt,
        row.expiresAt,
        row.startedAt,
        row.leaseUntil,
        row.endedAt,
      );
    },
    async registeredFor(protocol, callIds, at) {
      const rows = await query<Columns>(
        `select ${columns} from streams where tenant_id = $1 and state = 'registered' and expires_at > $4
         and terms ->> 'callId' = any($3) and terms ->> 'protocol' = $2`,
        protocol,
        callIds,
        at,
      );
      return rows.map(toRow);
    },
    async start(streamId, at, leaseUntil) {
      const started = await query(
        `update streams set state = 'live', started_at = $3, lease_until = $4
         where tenant_id = $1 and stream_id = $2 and state = 'registered' and expires_at > $3 returning stream_id`,
        streamId,
        at,
        leaseUntil,
      );
      return started.length === 1;
    },
    async renew(streamIds, leaseUntil) {
      await query(
        "update streams set lease_until = $3 where tenant_id = $1 and stream_id = any($2) and state = 'live'",
        streamIds,
        leaseUntil,
      );
    },
    async end(streamId, outcome, at) {
      const ended = await query(
        `update streams set state = 'ended', outcome = $3, ended_at = $4
         where tenant_id = $1 and stream_id = $2 and state <> 'ended' returning stream_id`,
        streamId,
        JSON.stringify(outcome),
        at,
      );
      return ended.length === 1;
    },
    async interrupt(outcome, now) {
      const rows = await query<Columns>(
        `update streams set state = 'ended', outcome = $2, ended_at = $3
         where tenant_id = $1 and state = 'live' and lease_until < $3 returning ${columns}`,
        JSON.stringify(outcome),
        now,
      );
      return rows.map(toRow);
    },
    async purge(before) {
      const purged = await query(
        'delete from streams where tenant_id = $1 and created_at < $2 returning stream_id',
        before,
      );
      return purged.length;
    },
  };
}

/** The look-up over all tenants: the token says whose call it is. */
export async function findStream(
  client: PoolClient,
  tokenSha256: Uint8Array,
): Promise<{ readonly tenantId: string; readonly row: StreamRow } | null> {
  const [row] = await runPrepared<Columns>(
    client,
    `select tenant_id, ${columns} from streams where token_sha256 = $1`,
    [tokenSha256],
  );
  return row === undefined ? null : { tenantId: row.tenant_id, row: toRow(row) };
}

function toRow(row: Columns): StreamRow {
  return {
    streamId: row.stream_id,
    apiKeyId: row.api_key_id,
    accountId: row.account_id,
    terms: row.terms,
    lineHash: row.line_hash,
    pin: row.pin,
    pinMark: row.pin_mark,
    tokenSha256: row.token_sha256,
    state: row.state,
    outcome: row.outcome,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    startedAt: row.started_at,
    leaseUntil: row.lease_until,
    endedAt: row.ended_at,
  };
}
