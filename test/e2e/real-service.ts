import type { Test } from 'tap';
import { start, type Voicegate } from '../../src/compose.js';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/ops/log.js';
import { createApiKey, type ApiKeyRequest } from '../../src/service/api-keys.js';
import type { Caller } from '../../src/service/context.js';
import { ensureTenant } from '../../src/service/first-start.js';
import { roles } from '../../src/service/ports.js';
import { openTestPlace, temporaryFolder } from '../storage/open-test-store.js';

/** The first tenant's operator, who may do anything. */
export const operator: Caller = { tenantId: 'default', apiKeyId: null, roles, answer: 'full' };

/** A whole service on an empty database of the lane, real models and a free port; stopped at teardown. @param key with which it is used */
export async function openRealService(
  t: Pick<Test, 'teardown'>,
  key: Partial<ApiKeyRequest> = {},
  settings: Readonly<Record<string, string>> = {},
): Promise<Voicegate & { readonly apiKey: string }> {
  const place = await openTestPlace(t);
  const config = readConfig({
    VOICEGATE_DATA_DIR: 'dataDir' in place ? place.dataDir : temporaryFolder(t),
    VOICEGATE_PORT: '0',
    VOICEGATE_LOG_LEVEL: 'silent',
    ...('databaseUrl' in place ? { DATABASE_URL: place.databaseUrl } : {}),
    ...settings,
  });
  const service = await start(config, createLog(config.logLevel));
  t.teardown(() => service.stop());
  await ensureTenant(service.context);
  const { apiKey } = await createApiKey(service.context, operator, { label: 'test', roles, answer: 'full', ...key });
  return { ...service, apiKey };
}
