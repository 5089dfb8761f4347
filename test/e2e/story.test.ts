import t from 'tap';
import { createClient } from '../../bench/client.js';
import { playStory } from '../../bench/story.js';
import { start } from '../../src/compose.js';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/ops/log.js';
import { createApiKey } from '../../src/service/api-keys.js';
import { ensureTenant } from '../../src/service/first-start.js';
import { roles } from '../../src/service/ports.js';
import { openTestPlace, temporaryFolder } from '../storage/open-test-store.js';

void t.test('the story of the demo ends as told, with real models, over HTTP', async (t) => {
  const place = await openTestPlace(t);
  const config = readConfig({
    VOICEGATE_DATA_DIR: 'dataDir' in place ? place.dataDir : temporaryFolder(t),
    VOICEGATE_PORT: '0',
    VOICEGATE_LOG_LEVEL: 'silent',
    ...('databaseUrl' in place ? { DATABASE_URL: place.databaseUrl } : {}),
  });
  const service = await start(config, createLog(config.logLevel));
  t.teardown(() => service.stop());
  await ensureTenant(service.context);
  const operator = { tenantId: 'default', apiKeyId: null, roles, answer: 'full' as const };
  const { apiKey } = await createApiKey(service.context, operator, { label: 'test', roles, answer: 'full' });
  const { told, otherwise } = await playStory(createClient(service.url, apiKey), (line) => t.comment(line));
  t.same(otherwise, []);
  t.ok(told >= 24);
  t.equal((await fetch(`${service.url}/readyz`)).status, 200);
});
