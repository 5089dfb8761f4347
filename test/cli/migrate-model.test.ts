import t, { type Test } from 'tap';
import { migrateModelCommand } from '../../src/cli/migrate-model.js';
import { VoicegateError } from '../../src/errors.js';
import { candidateRow, accountRow, fresh, newTenant, voiceprintRow } from '../storage/rows.js';
import { openTestStore } from '../storage/open-test-store.js';

const store = await openTestStore(t);

/** An account with a print by model-a and a quiet one by model-b, or with an utterance for one. */
async function account(tenantId: string, quiet: boolean): Promise<string> {
  const accountId = fresh('account');
  const print = voiceprintRow(accountId);
  await store.transaction(tenantId, async (tx) => {
    await tx.accounts.insertIfAbsent(accountRow(accountId));
    await tx.voiceprints.add(print);
    if (!quiet) return tx.modelChange.addCandidate(candidateRow(print));
    const derivedFromVoiceprintId = print.voiceprintId;
    await tx.voiceprints.add(voiceprintRow(accountId, { modelId: 'model-b', derivedFromVoiceprintId }));
  });
  return accountId;
}

/** Runs the command; what it said, and its tables. */
async function run(t: Test, ...words: string[]): Promise<{ readonly said: string; readonly tables: unknown[] }> {
  const tables = t.capture(console, 'table');
  const [out, error] = [t.capture(process.stdout, 'write'), t.capture(process.stderr, 'write')];
  const secrets = {} as never;
  const command = migrateModelCommand(
    (work) => work(store, secrets),
    async (modelId) => {
      if (modelId === 'no-model') throw new VoicegateError('model_invalid', 'there is no model');
    },
  );
  try {
    await command.parseAsync(words, { from: 'user' });
  } finally {
    for (const captured of [tables, out, error]) captured.restore();
  }
  const said = [...out(), ...error()].map(({ args }) => String(args[0])).join('');
  return { said, tables: tables().flatMap(({ args }) => args) };
}

void t.test(
  'the plan counts each tenant’s accounts and names the settings; an unusable model has no plan',
  async (t) => {
    const tenantId = await newTenant(store);
    await account(tenantId, true);
    await account(tenantId, false);
    const { said, tables } = await run(t, 'plan', '--to', 'model-b');
    t.match(said, /VOICEGATE_SECOND_MODEL=model-b/);
    const row = (tables[0] as { tenant: string }[]).find(({ tenant }) => tenant === tenantId);
    t.match(row, { waiting: 1, both: 1, gathering: 1, 'utterances gathered': 1, 'quiet prints': 'off' });
    await t.rejects(run(t, 'plan', '--to', 'no-model'), { code: 'model_invalid' });
  },
);

void t.test('status shows the voiceprints by model, or that there are none', async (t) => {
  const empty = await newTenant(store);
  const tenantId = await newTenant(store);
  await account(tenantId, true);
  const { said, tables } = await run(t, 'status');
  t.match(said, new RegExp(`tenant ${tenantId}`));
  t.match(said, new RegExp(`tenant ${empty}\nno voiceprints`));
  t.same(tables.at(-1), [
    { modelId: 'model-a', voiceprints: 1, derived: 0 },
    { modelId: 'model-b', voiceprints: 1, derived: 1 },
  ]);
});

void t.test('undo and finish only say what they would do until --yes', async (t) => {
  const tenantId = await newTenant(store);
  const [first, second] = [await account(tenantId, true), await account(tenantId, true)];
  await account(tenantId, false);
  const models = (accountId: string): Promise<string[]> =>
    store.transaction(tenantId, async (tx) => (await tx.voiceprints.active(accountId)).map(({ modelId }) => modelId));
  const both = await models(first);
  const at = ['--tenant', tenantId];
  t.match((await run(t, 'undo', '--model', 'model-b', ...at)).said, /would take back all 2 /);
  t.match(
    (await run(t, 'finish', '--to', 'model-b', ...at)).said,
    /would erase .* of 2 accounts; 1 accounts have none/,
  );
  t.same(await models(first), both);
  await run(t, 'undo', '--model', 'model-b', '--account', first, ...at, '--yes');
  t.same(await models(first), ['model-a']);
  t.same(await models(second), both);
  t.match((await run(t, 'finish', '--to', 'model-b', ...at, '--yes')).said, /of 1 accounts erased; 2 accounts/);
  t.same(await models(second), ['model-b']);
  t.match((await run(t, 'undo', '--model', 'model-b', ...at, '--yes')).said, /undone for 1 accounts/);
  await t.rejects(run(t, 'undo', '--model', 'model-b', '--tenant', 'nobody'), { code: 'not_found' });
});
