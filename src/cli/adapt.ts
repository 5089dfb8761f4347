import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Config } from '../config.js';
import { VoicegateError } from '../errors.js';
import { adaptedDir } from '../scoring/calibration-folder.js';
import { cohortFile } from '../scoring/score-voice.js';
import { adapt, type Adaptation } from '../tuning/adapt.js';
import { usualRounds } from '../tuning/bootstrap.js';
import { eachRecording, requireFiles } from '../tuning/each-recording.js';
import { readOwnCalls } from '../tuning/own-calls.js';
import type { HeardCall } from '../tuning/own-voices.js';
import { plainChannel } from '../tuning/channel.js';
import { adaptText } from './adapt-text.js';
import { defaultRecogniser, openEars, type OpenEars } from './open-ears.js';
import { policyThresholds } from './policy-thresholds.js';
import { requireWritable } from './require-writable.js';
import { withProgress } from './with-progress.js';

interface AdaptOptions {
  readonly calls: string;
  readonly model?: string;
  readonly date: string;
  readonly json?: string;
  readonly dryRun: boolean;
}

/** `voicegate adapt …`: cohort, centre and calibration from an operator's own calls, as a version beside the shipped one. */
export function adaptCommand(config: () => Config): Command {
  return new Command('adapt')
    .description(
      'fit cohort, centre and calibration to your own calls; a new version beside the one that came with the model',
    )
    .requiredOption(
      '--calls <path>',
      'table with a column file, and speaker where known; or a folder of recordings, one caller alone in each',
    )
    .option('--model <id>', 'speaker model; default: VOICEGATE_MODEL')
    .option('--date <date>', 'begins the version', dated, new Date().toISOString().slice(0, 10))
    .option('--json <file>', 'write the figures as JSON')
    .option('--dry-run', 'tell the figures and write no calibration', false)
    .action(async (options: AdaptOptions) => {
      await requireWritable([options.json], [options.calls]);
      const settings = config();
      const modelId = options.model ?? settings.modelId;
      const version = nextVersion(settings.calibrationsDir, modelId, options.date);
      // What came with the model is what is adapted, whatever judges now.
      const ears = await openEars({ ...settings, calibrationVersion: null }, modelId, defaultRecogniser, 'kept');
      let made: Adaptation;
      try {
        const calls = await heardCalls(options.calls, ears, settings.workers + 1);
        made = adapt(calls, {
          model: ears.card,
          shipped: ears.scorer,
          version,
          date: options.date,
          command: `voicegate adapt --model ${modelId}`,
          thresholds: policyThresholds,
          rounds: usualRounds,
        });
      } finally {
        await ears.close();
      }
      process.stdout.write(adaptText(made));
      if (options.json !== undefined) {
        const { calibration, report } = made;
        await writeFile(options.json, `${JSON.stringify({ version: calibration.version, ...report }, null, 2)}\n`);
      }
      if (options.dryRun) return;
      const dir = await install(made, settings.calibrationsDir, modelId);
      process.stdout.write(
        `written: ${relative(process.cwd(), dir)}\nIt judges from the next start with VOICEGATE_CALIBRATION=${version}; ` +
          `every node needs that folder. Without the setting the calibration that came with the model judges.\n`,
      );
    });
}

/** Hears every recording once; what cannot be heard is told and left out. */
async function heardCalls(path: string, ears: OpenEars, atOnce: number): Promise<readonly HeardCall[]> {
  const calls = await readOwnCalls(path);
  await requireFiles(calls.map(({ file }) => file));
  const wanted = [...new Set(calls.map(({ file }) => file))].map((file) => ({ file, channels: [plainChannel] }));
  const visited = await withProgress('calls', (onProgress) =>
    eachRecording(wanted, ears.hear, { ...ears, atOnce, onDone: (done) => onProgress(done, wanted.length) }),
  );
  return calls.flatMap(({ file, speaker }): HeardCall[] => {
    const one = visited.get(file);
    const heard = one?.kind === 'heard' ? one.byChannel.get(plainChannel.name) : undefined;
    if (heard !== undefined && heard.vector !== null) return [{ ...heard, vector: heard.vector, id: file, speaker }];
    const reason = one?.kind === 'unreadable' ? one.reason : 'too little speech';
    process.stderr.write(`${file} is left out: ${reason}\n`);
    return [];
  });
}

/** The first name of the day that is free. */
function nextVersion(calibrationsDir: string, modelId: string, date: string): string {
  for (let number = 1; ; number++) {
    const version = `${date}.own-${number}`;
    if (!existsSync(adaptedDir(calibrationsDir, modelId, version))) return version;
  }
}

/** Both files or neither: written beside, then moved into place. @throws VoicegateError `conflict` when somebody was first */
async function install({ cohort, calibration }: Adaptation, calibrationsDir: string, modelId: string): Promise<string> {
  const dir = adaptedDir(calibrationsDir, modelId, calibration.version);
  await mkdir(join(dir, '..'), { recursive: true, mode: 0o700 });
  const made = await mkdtemp(join(dir, '..', '.making-'));
  await writeFile(join(made, cohortFile), cohort);
  await writeFile(join(made, 'calibration.json'), `${JSON.stringify(calibration, null, 2)}\n`);
  try {
    await rename(made, dir);
  } catch (cause) {
    throw new VoicegateError('conflict', `${calibration.version} of ${modelId} has just been made by another`, {
      hint: 'Run the command again',
      cause,
    });
  }
  return dir;
}

function dated(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('A date as 2026-11-25.');
}
