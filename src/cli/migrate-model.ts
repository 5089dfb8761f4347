import { Command, Option } from 'commander';
import { VoicegateError } from '../errors.js';
import { createProgress } from '../ops/progress.js';
import type { Caller } from '../service/context.js';
import { defaultTenantId } from '../service/first-start.js';
import {
  changeProgress,
  finishChange,
  undoAll,
  undoChange,
  voiceprintsByModel,
  type ChangeProgress,
} from '../service/model-change.js';
import { roles, type Store } from '../service/ports.js';
import type { WithStore } from './with-store.js';

const now = (): Date => new Date();
const operatorOf = (tenantId: string): Caller => ({ tenantId, apiKeyId: null, roles, answer: 'full' });

/**
 * `voicegate migrate-model …`: from one speaker model to another without a day on which everybody enrols again.
 * @param checkModel reads a model's card and calibration; throws when it could not judge
 */
export function migrateModelCommand(withStore: WithStore, checkModel: (modelId: string) => Promise<void>): Command {
  const command = new Command('migrate-model').description('change the speaker model while callers call');
  const to = (): Option => new Option('--to <model>', 'the model that the change leads to').makeOptionMandatory();
  const tenant = (): Option => new Option('--tenant <id>', 'tenant').default(defaultTenantId);
  const yes = (): Option => new Option('--yes', 'do it; without this only say what would be done');

  command
    .command('plan')
    .description('what a change to a model would take: who waits, how often they call, what to set')
    .addOption(to())
    .action(async ({ to: modelId }: { to: string }) => {
      await checkModel(modelId);
      await withStore(async (store) => {
        const tenants = await progressOfTenants(store, modelId);
        console.table(tenants.map(({ tenantId, progress }) => ({ tenant: tenantId, ...planRow(progress) })));
      });
      process.stdout.write(steps(modelId));
    });
  command
    .command('status')
    .description('voiceprints by model, and how far the change is that each tenant’s policy allows')
    .action(async () => {
      await withStore(async (store) => {
        const tenants = await progressOfTenants(store, null);
        if (tenants.length === 0) say('there is no tenant yet: the service makes one when it first starts');
        for (const { tenantId, progress } of tenants) {
          const prints = await voiceprintsByModel({ store, now }, operatorOf(tenantId));
          process.stdout.write(`tenant ${tenantId}\n`);
          if (prints.length === 0) process.stdout.write('no voiceprints\n');
          else console.table(prints);
          if (progress !== null) console.table([{ to: progress.modelId, ...planRow(progress) }]);
        }
      });
    });
  command
    .command('undo')
    .description('take quiet voiceprints by a model back, one account’s or all; the old ones go on judging')
    .requiredOption('--model <model>', 'the model whose quiet voiceprints go')
    .option('--account <id>', 'one account only')
    .addOption(tenant())
    .addOption(yes())
    .action(async (options: { model: string; account?: string; tenant: string; yes?: true }) => {
      await inTenant(withStore, options.tenant, async (store, operator) => {
        if (options.yes === undefined) {
          const prints = await voiceprintsByModel({ store, now }, operator);
          const derived = prints.find(({ modelId }) => modelId === options.model)?.derived ?? 0;
          const whose = options.account === undefined ? `all ${derived}` : 'the account’s';
          return say(`would take back ${whose} quiet voiceprints by ${options.model}, and what is gathered for more`);
        }
        if (options.account !== undefined) {
          const undone = await undoChange({ store, now }, operator, options.account, options.model);
          return say(`${undone.voiceprintsErased} voiceprint and ${undone.utterancesErased} utterances erased`);
        }
        const done = await undoAll({ store, now }, operator, options.model, (accounts) => say(`${accounts} accounts`));
        return say(`undone for ${done} accounts`);
      });
    });
  command
    .command('finish')
    .description('erase the other models’ voiceprints of every account that has one by this model')
    .addOption(to())
    .addOption(tenant())
    .addOption(yes())
    .action(async (options: { to: string; tenant: string; yes?: true }) => {
      await inTenant(withStore, options.tenant, async (store, operator) => {
        const progress = await changeProgress({ store, now }, operator, options.to);
        const [both, waiting] = [progress?.both ?? 0, progress?.waiting ?? 0];
        const left = `${waiting} accounts have none by ${options.to}: they need an enrolment, or the old model loaded beside it`;
        if (options.yes === undefined) return say(`would erase the old voiceprints of ${both} accounts; ${left}`);
        const bar = createProgress({ label: 'accounts', total: both, out: process.stderr });
        const done = await finishChange({ store, now }, operator, options.to, (accounts) => bar.update(accounts));
        bar.end();
        return say(`old voiceprints of ${done} accounts erased; ${left}`);
      });
    });
  return command;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function inTenant(
  withStore: WithStore,
  tenantId: string,
  work: (store: Store, operator: Caller) => Promise<void>,
): Promise<void> {
  await withStore(async (store) => {
    if (!(await store.listTenants()).some((tenant) => tenant.tenantId === tenantId)) {
      throw new VoicegateError('not_found', `there is no tenant ${tenantId}`, {
        hint: 'voicegate tenants list shows them',
      });
    }
    await work(store, operatorOf(tenantId));
  });
}

async function progressOfTenants(
  store: Store,
  to: string | null,
): Promise<readonly { readonly tenantId: string; readonly progress: ChangeProgress | null }[]> {
  const found = [];
  for (const { tenantId } of await store.listTenants()) {
    found.push({ tenantId, progress: await changeProgress({ store, now }, operatorOf(tenantId), to) });
  }
  return found;
}

function planRow(progress: ChangeProgress | null): Record<string, number | string | boolean> {
  if (progress === null) return {};
  const { waiting, both, moved, gathering, utterancesGathered, calling, calls, observedDays, medianDays } = progress;
  return {
    waiting,
    both,
    moved,
    'quiet prints': progress.quietPrints ? 'allowed' : 'off',
    gathering,
    'utterances gathered': utterancesGathered,
    calling,
    'calls a day': Math.round((10 * calls) / observedDays) / 10,
    'days until half of the calling': medianDays === null ? '' : Math.ceil(medianDays),
  };
}

/** The way in words; counts above it say how long each step lasts. */
function steps(modelId: string): string {
  return `
waiting: accounts with voiceprints by other models only; calling: of these, who had an accepted high-tier call in the
last 30 days that is good enough. Who does not call at that tier is not moved quietly, however long it runs.

1. Start with VOICEGATE_SECOND_MODEL=${modelId}: enrolments make voiceprints by both models from now on.
2. Let calls make them too, where the consents you hold cover it: put "modelChange": {"quietPrintsOf": "${modelId}",
   "minVoiceLlr": 6.5} into each tenant's policy and activate it. voicegate migrate-model status tells the progress.
3. When enough have both, let the new model judge: VOICEGATE_MODEL=${modelId} with the old one as VOICEGATE_SECOND_MODEL.
   Check the policy's cosine limits for it. Back is the same way; undo takes quiet voiceprints back.
4. voicegate migrate-model finish --to ${modelId} --yes erases the old ones of all who have moved. Then start without
   VOICEGATE_SECOND_MODEL: who has not moved is answered INCONCLUSIVE, MODEL_MISMATCH, and needs an enrolment.
`;
}
