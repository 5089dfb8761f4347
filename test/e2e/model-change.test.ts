import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { benchPin, challengeFor, enrolCaller, expect, fixture } from '../../bench/callers.js';
import { createClient } from '../../bench/client.js';
import { start } from '../../src/compose.js';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/ops/log.js';
import { modelsDir } from '../../src/paths.js';
import { cohortFile } from '../../src/scoring/score-voice.js';
import { createApiKey } from '../../src/service/api-keys.js';
import { ensureTenant } from '../../src/service/first-start.js';
import { roles } from '../../src/service/ports.js';
import { openTestPlace, temporaryFolder } from '../storage/open-test-store.js';

const oldModel = readConfig({}).modelId;
/** As long as the name of the shipped model, so that it can stand in the header of its cohort. */
const newModel = 'next-model'.padEnd(oldModel.length, 'x');

/** The shipped model under another name: to the service it is another model, whose prints mean nothing to the first. */
function anotherModel(t: Parameters<typeof temporaryFolder>[0]): string {
  const folder = temporaryFolder(t);
  const dir = join(folder, newModel);
  cpSync(join(modelsDir, oldModel), dir, { recursive: true, dereference: true });
  const cohort = readFileSync(join(dir, cohortFile), 'latin1');
  const renamed = Buffer.from(cohort.replace(`"${oldModel}"`, `"${newModel}"`), 'latin1');
  writeFileSync(join(dir, cohortFile), renamed);
  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.json'))) {
    const text = readFileSync(join(dir, file), 'utf8')
      .replaceAll(`"${oldModel}"`, `"${newModel}"`)
      .replace(sha256(Buffer.from(cohort, 'latin1')), sha256(renamed));
    writeFileSync(join(dir, file), text);
  }
  return folder;
}

void t.test(
  'from one model to the next with real networks: enrolled with both, then judged by the new one alone',
  async (t) => {
    const place = await openTestPlace(t);
    const shared = {
      VOICEGATE_DATA_DIR: 'dataDir' in place ? place.dataDir : temporaryFolder(t),
      VOICEGATE_MODELS_DIR: anotherModel(t),
      VOICEGATE_PORT: '0',
      VOICEGATE_LOG_LEVEL: 'silent',
      VOICEGATE_WORKERS: '1',
      ...('databaseUrl' in place ? { DATABASE_URL: place.databaseUrl } : {}),
    };
    /** A node with these models, and a client of it; it is stopped when the work is done. */
    async function during<T>(
      models: Record<string, string>,
      work: (client: ReturnType<typeof createClient>) => Promise<T>,
    ): Promise<T> {
      const config = readConfig({ ...shared, ...models });
      const service = await start(config, createLog(config.logLevel));
      try {
        await ensureTenant(service.context);
        const operator = { tenantId: 'default', apiKeyId: null, roles, answer: 'full' as const };
        const { apiKey } = await createApiKey(service.context, operator, { label: 'test', roles, answer: 'full' });
        return await work(createClient(service.url, apiKey));
      } finally {
        await service.stop();
      }
    }
    const said = fixture('callers/zh-f4/verify-1.wav');
    const judgedBy = async (client: ReturnType<typeof createClient>): Promise<unknown> => {
      const challengeId = await challengeFor(client, 'caller');
      const fields = { accountId: 'caller', challengeId, tier: 'low', pin: benchPin };
      const { body } = expect(await client.form('/v1/verifications', fields, said), 200);
      const { voice } = body.evidence as { voice: { modelId: string; llr: number } };
      return { decision: body.decision, modelId: body.modelId, compared: voice.modelId, llr: voice.llr };
    };
    const utterances = [1, 2, 3, 4, 5].map((index) => fixture(`callers/zh-f4/enrol-${index}.wav`));

    const before = await during({ VOICEGATE_SECOND_MODEL: newModel }, async (client) => {
      await enrolCaller(client, 'caller', utterances);
      const { body } = expect(await client.json('GET', `/v1/models?to=${newModel}`), 200);
      t.match(body, {
        loaded: [
          { modelId: oldModel, active: true },
          { modelId: newModel, active: false },
        ],
        change: { both: 1, waiting: 0 },
      });
      return judgedBy(client);
    });
    t.match(before, { decision: 'ACCEPT', modelId: oldModel, compared: oldModel });
    const after = await during({ VOICEGATE_MODEL: newModel }, judgedBy);
    t.same(
      after,
      { ...(before as object), modelId: newModel, compared: newModel },
      'the same weights, so the same score',
    );
  },
);
