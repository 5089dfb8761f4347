import type { PoolClient } from 'pg';
import { deriveAuditKeys, type AuditKeys } from '../audit/keys.js';
import type { Store, Tx } from '../service/ports.js';
import { accountTable } from './accounts.js';
import { agentTable } from './agents.js';
import { apiKeyTable, findApiKey } from './api-keys.js';
import { attemptTable } from './attempts.js';
import { auditTable } from './audit-log.js';
import { challengeTable } from './challenges.js';
import { consentTable } from './consents.js';
import { duplicateTable } from './duplicates.js';
import { withClient, type DatabasePlace, type Engine } from './engine.js';
import { enrolmentTable } from './enrolments.js';
import { idempotencyTable } from './idempotency.js';
import { checkSchema, migrate } from './migrate.js';
import { modelChangeTable } from './model-change.js';
import { openEngine } from './open-engine.js';
import { policyTable } from './policies.js';
import { findSession, sessionTable } from './sessions.js';
import { findStream, streamTable } from './streams.js';
import { standingOf } from './standing.js';
import { tenantQuery } from './tenant-query.js';
import { createTenant, listTenants } from './tenants.js';
import { inTransaction } from './transaction.js';
import { velocityTable } from './velocity.js';
import { verificationTable } from './verifications.js';
import { voiceprintTable } from './voiceprints.js';

export interface StoreSettings {
  /** The audit secret, at least 32 bytes. */
  readonly auditKey: Uint8Array;
  /** Folder of the SQL migrations, normally `migrationsDir` of paths.ts. */
  readonly migrationsDir: string;
}

/**
 * Opens the database and brings its schema up to date.
 * @throws VoicegateError `configuration_invalid`, `database_newer`, `database_unavailable`
 */
export async function openStore(options: DatabasePlace & StoreSettings): Promise<Store> {
  const engine = await openEngine(options);
  try {
    await migrate(engine, options.migrationsDir);
    return storeOn(engine, options);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The store on an engine that is open and migrated; closing it closes the engine. */
export function storeOn(engine: Engine, settings: StoreSettings): Store {
  const keys = deriveAuditKeys(settings.auditKey);
  let closing: Promise<void> | undefined;
  return {
    transaction: (tenantId, work) => inTransaction(engine, (client) => work(tablesOf(client, keys, tenantId))),
    findApiKey: (keyId) => withClient(engine, (client) => findApiKey(client, keyId)),
    findSession: (tokenSha256) => withClient(engine, (client) => findSession(client, tokenSha256)),
    findStream: (tokenSha256) => withClient(engine, (client) => findStream(client, tokenSha256)),
    listTenants: () => withClient(engine, listTenants),
    createTenant: (tenant) => withClient(engine, (client) => createTenant(client, tenant)),
    ping: () => withClient(engine, (client) => checkSchema(client, settings.migrationsDir)),
    close: () => (closing ??= engine.close()),
  };
}

function tablesOf(client: PoolClient, keys: AuditKeys, tenantId: string): Tx {
  const query = tenantQuery(client, tenantId);
  return {
    standing: (accountId, accountHash) => standingOf(query, accountId, accountHash),
    accounts: accountTable(query),
    consents: consentTable(query),
    enrolments: enrolmentTable(query),
    voiceprints: voiceprintTable(query),
    agents: agentTable(query),
    duplicates: duplicateTable(query),
    modelChange: modelChangeTable(query),
    challenges: challengeTable(query),
    attempts: attemptTable(query),
    velocity: velocityTable(query),
    verifications: verificationTable(query),
    policies: policyTable(query),
    apiKeys: apiKeyTable(query),
    sessions: sessionTable(query),
    idempotency: idempotencyTable(query),
    streams: streamTable(query),
    audit: auditTable(query, keys, tenantId),
  };
}
