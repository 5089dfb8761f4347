import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config.js';
import type { ModelCard } from '../embedding/model-card.js';
import { addModel, type AddOptions } from '../models/add-model.js';
import { catalogueEntry, readCatalogue } from '../models/catalogue.js';
import { familyIds } from '../models/families.js';
import { listModels, type ListedModel } from '../models/list-models.js';
import { pullModel } from '../models/pull-model.js';
import { createProgress, type Progress } from '../ops/progress.js';
import { calibrationDir } from '../scoring/calibration-folder.js';
import { loadScorer } from '../scoring/score-voice.js';

/** `voicegate models …`: which speaker models are here or could be, fetch one, install a file. */
export function modelsCommand(config: () => Config): Command {
  const models = new Command('models').description('speaker models: shipped, installed, and known public ones');
  models
    .command('list')
    .description('list the models that are here and those of the catalogue')
    .option('--json', 'everything, as JSON')
    .action(async (options: { json?: boolean }) => {
      const settings = config();
      const { installedModelsDir, modelId: activeModelId, secondModelId } = settings;
      const rows = await listModels(readCatalogue(), {
        installedModelsDir,
        activeModelId,
        secondModelId,
        loadScorer: (dir, card) => loadScorer(calibrationDir(card.id, dir, settings), card),
      });
      if (options.json === true) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
      else console.table(rows.map(asRow));
    });
  models
    .command('pull <id>')
    .description('fetch a model of the catalogue, check its hash and install it; goes on where an earlier pull was cut')
    .option('--url <address>', 'fetch it from there')
    .option('--allow-http', 'plain HTTP from other machines too', false)
    .action(async (id: string, { url, allowHttp }: { url?: string; allowHttp: boolean }) => {
      let progress: Progress | null = null;
      const { installedModelsDir } = config();
      const card = await pullModel(catalogueEntry(readCatalogue(), id), {
        installedModelsDir,
        url,
        allowHttp,
        onStart(already, total) {
          progress = createProgress({ label: id, already, total, show: megabytes, out: process.stderr });
        },
        onBytes: (done) => progress?.update(done),
      }).finally(() => progress?.end());
      tellInstalled(card, installedModelsDir);
    });
  models
    .command('add <file>')
    .description('install a local ONNX file; one of the catalogue is known by its hash and needs no options')
    .addOption(new Option('--family <family>', 'the front-end it expects').choices(familyIds))
    .option('--id <id>', 'its name here; the file’s name if left out')
    .option('--output <tensor>', 'the output that is the embedding, where the file has several')
    .option('--rate <Hz>', 'sample rate, where the file does not say and it is not 16000', hertz)
    .option('--licence <spdx>', 'licence of the weights')
    .option('--attribution <text>', 'attribution that the licence asks for')
    .action(
      async (file: string, options: Omit<AddOptions, 'installedModelsDir'> & { output?: string; rate?: number }) => {
        const { installedModelsDir } = config();
        const { output: outputName, rate: sampleRateHz, ...rest } = options;
        const card = await addModel(file, readCatalogue(), { ...rest, outputName, sampleRateHz, installedModelsDir });
        tellInstalled(card, installedModelsDir);
      },
    );
  return models;
}

function tellInstalled({ id, frontEnd, dimension, licence, notes }: ModelCard, installedModelsDir: string): void {
  process.stderr.write(
    `${id} is installed in ${join(installedModelsDir, id)}: ${frontEnd.kind} at ${frontEnd.sampleRateHz} Hz, ${dimension} values\n` +
      `licence of the weights: ${licence.spdx}; ${licence.attribution}\n${notes.map((note) => `- ${note}\n`).join('')}` +
      `Measure it with \`voicegate eval --model ${id}\`. It cannot judge before \`voicegate adapt --model ${id}\` has fitted a calibration for it.\n`,
  );
}

function asRow(model: ListedModel): object {
  return {
    model: model.id,
    state: model.set === null ? model.state : `${model.state}, ${model.set}`,
    calibrated: model.calibrated ? 'yes' : model.state === 'known' ? '' : 'no',
    'front-end': model.frontEnd ?? '',
    Hz: model.sampleRateHz ?? '',
    values: model.dimension ?? '',
    size: model.bytes === null ? '' : megabytes(model.bytes),
    licence: model.licence ?? '',
    figures: model.problem ?? model.figures,
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function hertz(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 8000 && value <= 48_000) return value;
  throw new InvalidArgumentError('a whole number from 8000 to 48000.');
}
