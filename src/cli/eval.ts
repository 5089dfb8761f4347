import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { promptLanguages } from '../challenge/languages.js';
import type { Config } from '../config.js';
import { defaultPolicy } from '../decision/policy.js';
import { VoicegateError } from '../errors.js';
import { createProgress, type Progress } from '../ops/progress.js';
import { channelNames, channelOf, type Channel } from '../tuning/channel.js';
import { scoreSpeakerLists, type ChannelSide } from '../tuning/evaluate-speakers.js';
import { reportSpeakers, type ChannelReport, type Evaluation } from '../tuning/evaluation.js';
import { readLists } from '../tuning/read-lists.js';
import type { SpeechPart } from '../tuning/recording-ear.js';
import type { NamedThreshold, ScoreKind } from '../tuning/speaker-report.js';
import { evaluationText } from './eval-table.js';
import { openEars, type OpenEars } from './open-ears.js';

interface EvalOptions {
  readonly list: string[];
  readonly trials?: string;
  readonly model?: string;
  readonly channel: string[];
  readonly channelSide: ChannelSide;
  readonly scores: ScoreKind;
  readonly speech: SpeechPart;
  readonly rounds: number;
  readonly json?: string;
}

/** `voicegate eval …`: error rates of a model on lists of recordings. */
export function evalCommand(config: () => Config): Command {
  return new Command('eval')
    .description('measure a model on lists of recordings: error rates with intervals, per list, pooled and per group')
    .requiredOption('--list <dir>', 'folder of a list, or of list folders; may repeat', collected, [])
    .option('--trials <file>', 'trials in Kaldi or VoxCeleb format, audio relative to the one --list')
    .option('--model <id>', 'speaker model: an id, or the path of its folder; default: VOICEGATE_MODEL')
    .option('--channel <names>', `comma-separated, each measured by itself: ${channelNames}`, commas, ['plain'])
    .addOption(
      new Option('--channel-side <side>', 'what goes through the channel').choices(['test', 'both']).default('both'),
    )
    .addOption(
      new Option('--scores <kind>', 'what EER and minDCF are of')
        .choices(['cosine', 'asnorm', 'llr'])
        .default('cosine'),
    )
    .addOption(
      new Option('--speech <part>', 'kept: what the service embeds; whole: whole files')
        .choices(['kept', 'whole'])
        .default('kept'),
    )
    .option('--rounds <count>', 'draws of the bootstrap; 0: no intervals', wholeNumber, 1000)
    .option('--json <file>', 'write the result as JSON')
    .action(async (options: EvalOptions) => {
      const evaluation = await evaluate(config(), options);
      process.stdout.write(evaluationText(evaluation));
      if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(evaluation, null, 2)}\n`);
    });
}

async function evaluate(config: Config, options: EvalOptions): Promise<Evaluation> {
  const lists = await readLists(options.list, { languages: Object.keys(promptLanguages), trialFile: options.trials });
  const channels = channelsOf(options.channel, config.ffmpegPath);
  const ears = await openEars(config, options.model ?? config.modelId, options.speech);
  try {
    requireScores(options.scores, ears);
    const bar = progressOf('voices');
    const scored =
      lists.speaker.length === 0
        ? []
        : await scoreSpeakerLists(lists.speaker, channels, options.channelSide, {
            ...ears,
            atOnce: config.workers + 1,
            onProgress: bar.update,
            onUnreadable: (file, reason) => process.stderr.write(`${file} cannot be heard: ${reason}\n`),
          });
    bar.end();
    const report = { scores: options.scores, thresholds: policyThresholds, rounds: options.rounds };
    const channelReports = channels.map(({ name }): ChannelReport => ({
      channel: name,
      speaker: reportSpeakers(
        scored.find((one) => one.channel === name),
        report,
      ),
      phrases: {
        lists: [],
        skipped: lists.phrases.map((list) => ({ name: list.name, reason: 'no digit recogniser is installed' })),
      },
    }));
    return {
      model: ears.card.id,
      modelSha256: ears.card.sha256,
      calibration: ears.calibrationVersion,
      recogniser: null,
      scores: options.scores,
      speech: options.speech,
      channelSide: options.channelSide,
      bootstrapRounds: options.rounds,
      ...(channelReports[0] as ChannelReport),
      ...(channels.length > 1 ? { channels: channelReports } : {}),
    };
  } finally {
    await ears.close();
  }
}

/** The voice's least LLRs of the default policy. */
const policyThresholds: readonly NamedThreshold[] = [
  { name: 'reject', llr: defaultPolicy.tiers.rejectBelowLlr },
  { name: 'low', llr: defaultPolicy.tiers.low.minVoiceLlr },
  { name: 'standard', llr: defaultPolicy.tiers.standard.minVoiceLlr },
  { name: 'high', llr: defaultPolicy.tiers.high.minFusedLlr },
];

function requireScores(kind: ScoreKind, { card, calibrationVersion, hasCohort }: OpenEars): void {
  if (kind === 'cosine' || (kind === 'llr' ? calibrationVersion !== null : hasCohort)) return;
  throw new VoicegateError('invalid_request', `model ${card.id} has no ${kind} scores`, {
    hint:
      kind === 'llr'
        ? 'They need a calibration.json in the folder of the model'
        : 'They need a cohort that the calibration of the model names',
  });
}

function channelsOf(names: readonly string[], ffmpegPath: string): readonly Channel[] {
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new VoicegateError('invalid_request', `the channel ${twice} is named twice`);
  return names.map((name) => channelOf(name, ffmpegPath));
}

/** A progress bar whose total is known with the first recording. */
function progressOf(label: string): { update(done: number, of: number): void; end(): void } {
  let bar: Progress | null = null;
  return {
    update(done, of) {
      bar ??= createProgress({ label, total: of, out: process.stderr });
      bar.update(done);
    },
    end: () => bar?.end(),
  };
}

const collected = (value: string, before: readonly string[]): string[] => [...before, value];
const commas = (value: string): string[] => value.split(',').map((name) => name.trim());

function wholeNumber(value: string): number {
  if (!/^[0-9]{1,6}$/.test(value)) throw new InvalidArgumentError('A whole number from 0 to 999999.');
  return Number(value);
}
