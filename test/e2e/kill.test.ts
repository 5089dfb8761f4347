import t from 'tap';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { benchPin, challengeFor, enrolCaller, expect, fixture } from '../../bench/callers.js';
import { createClient, type Client } from '../../bench/client.js';
import { serve } from '../../bench/served.js';
import { rootDir } from '../../src/paths.js';
import { openTestPlace, temporaryFolder } from '../storage/open-test-store.js';

void t.test('kill -9 under load: no challenge twice, no ACCEPT without its audit entry, the chain holds', async (t) => {
  t.setTimeout(170_000);
  const place = await openTestPlace(t);
  const dataDir = 'dataDir' in place ? place.dataDir : temporaryFolder(t);
  const secrets = {
    VOICEGATE_PIN_PEPPER: randomBytes(32).toString('hex'),
    VOICEGATE_AUDIT_KEY: randomBytes(32).toString('hex'),
  };
  const env = {
    ...secrets,
    VOICEGATE_DATA_DIR: dataDir,
    ...('databaseUrl' in place ? { DATABASE_URL: place.databaseUrl } : {}),
  };
  const cli = (...words: string[]): string => {
    const done = spawnSync(process.execPath, [join(rootDir, 'dist', 'src', 'cli.js'), ...words], {
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });
    t.equal(done.status, 0, `${words.join(' ')}: ${done.stderr}`);
    return done.stdout.trim();
  };
  const roles = ['verifier', 'enroller', 'analyst', 'admin'].flatMap((role) => ['--role', role]);
  const apiKey = cli('keys', 'create', '--label', 'test', ...roles, '--answer', 'full');
  const start = () => serve({ dataDir, env, apiKey });

  let served = await start();
  const accounts = ['k-1', 'k-2', 'k-3', 'k-4'];
  for (const id of accounts) {
    await enrolCaller(
      served.client,
      id,
      [1, 2, 3, 4, 5].map((n) => fixture(`callers/zh-f4/enrol-${n}.wav`)),
    );
  }
  const asked: { accountId: string; challengeId: string }[] = [];
  const answered: { verificationId: string; decision: string; challengeId: string }[] = [];
  const say = async (client: Client, one: { accountId: string; challengeId: string }) => {
    const fields = { ...one, tier: 'low', pin: benchPin };
    const { body } = expect(await client.form('/v1/verifications', fields, fixture('callers/zh-f4/verify-1.wav')), 200);
    return {
      verificationId: String(body.verificationId),
      decision: String(body.decision),
      reasons: body.reasons as string[],
    };
  };
  for (let round = 0; round < 3; round++) {
    const { client } = served;
    let killed = false;
    const line = async (accountId: string): Promise<void> => {
      while (!killed) {
        try {
          const one = { accountId, challengeId: await challengeFor(client, accountId) };
          asked.push(one);
          const { verificationId, decision } = await say(client, one);
          answered.push({ verificationId, decision, challengeId: one.challengeId });
        } catch {
          return;
        }
      }
    };
    const lines = accounts.map(line);
    await new Promise((resolve) => setTimeout(resolve, 1500 + 500 * round));
    killed = true;
    await served.end('SIGKILL');
    await Promise.all(lines);
    served = await start();
  }
  t.ok(
    answered.some(({ decision }) => decision === 'ACCEPT'),
    `${answered.length} answers before the kills`,
  );

  const client = createClient(served.url, apiKey);
  for (const { verificationId, decision, challengeId } of answered.slice(-20)) {
    const accountId = asked.find((one) => one.challengeId === challengeId)?.accountId ?? '';
    const again = await say(client, { accountId, challengeId });
    t.not(again.decision, 'ACCEPT');
    t.same(again.reasons, ['CHALLENGE_REUSED'], `${verificationId} had used its challenge (${decision})`);
  }
  const entries: { event: { kind: string; verificationId?: string; decision?: string } }[] = [];
  for (let after = 0; ; after = entries.length) {
    const page = expect(await client.json('GET', `/v1/audit?after=${after}&limit=1000`), 200).body
      .entries as typeof entries;
    entries.push(...page);
    if (page.length === 0) break;
  }
  for (const { verificationId, decision } of answered) {
    t.ok(
      entries.some(({ event }) => event.verificationId === verificationId && event.decision === decision),
      `${decision} is in the audit`,
    );
  }
  t.equal(await served.end('SIGTERM'), 0, 'ends by itself');
  t.match(cli('audit', 'verify'), 'the chain is whole');
});
