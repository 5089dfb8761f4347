import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { promptLanguages } from '../challenge/languages.js';
import type { Config } from '../config.js';
import { VoicegateError } from '../errors.js';
import { channelNames, channelOf, type Channel } from '../tuning/channel.js';
import { scoreSpeakerLists, type ChannelSide, type ScoredChannel } from '../tuning/evaluate-speakers.js';
import { reportSpeakers, type ChannelReport, type Evaluation } from '../tuning/evaluation.js';
import { evaluatePhraseList, type PhraseListReport, type PhraseParts } from '../tuning/evaluate-phrases.js';
import type { PhraseList } from '../tuning/phrase-list.js';
import { findLeaks, type LeakParts, type LeakReport } from '../tuning/leaks.js';
import { readLists, testedFiles, type Lists } from '../tuning/read-lists.js';
import { requireFiles } from '../tuning/each-recording.js';
import { readReferenceSpeech, type ReferenceFile } from '../tuning/reference-speech.js';
import type { SpeechPart } from '../tuning/recording-ear.js';
import type { ScoreKind } from '../tuning/speaker-report.js';
import { scoreTable } from '../tuning/score-file.js';
import { requirePlotName, writeDet } from './det-file.js';
import { evaluationText } from './eval-table.js';
import { defaultRecogniser, openEars, type OpenEars } from './open-ears.js';
import { policyThresholds } from './policy-thresholds.js';
import { requireWritable } from './require-writable.js';
import { wholeNumber } from './whole-number.js';
import { withProgress } from './with-progress.js';

interface EvalOptions {
  readonly list: string[];
  readonly trials?: string;
  readonly model?: string;
  readonly channel: string[];
  readonly channelSide: ChannelSide;
  readonly scores: ScoreKind;
  readonly speech: SpeechPart;
  readonly rounds: number;
  readonly digits: string;
  readonly randomWrongs: number;
  readonly json?: string;
  readonly against?: string;
  readonly det?: string;
  readonly scoresFile?: string;
}

/** `voicegate eval …`: error rates of a model on lists of recordings. */
export function evalCommand(config: () => Config): Command {
  return new Command('eval')
    .description('measure a model on lists of recordings: error rates with intervals, per list, pooled and per group')
    .requiredOption('--list <dir>', 'folder of a list, or of list folders; may repeat', collected)
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
    .option('--digits <id>', 'digit recogniser: an id, or the path of its folder', defaultRecogniser)
    .option('--random-wrongs <count>', 'random wrong strings for each recording of a phrase list', wholeNumber, 200)
    .option('--rounds <count>', 'draws of the bootstrap; 0: no intervals', wholeNumber, 1000)
    .option('--json <file>', 'write the result as JSON')
    .option('--against <dir>', 'training speech: which test files are among it, whose voices are most like')
    .option('--det <file>', 'draw a DET plot of the first channel, .svg or .png')
    .option('--scores-file <file>', 'write the scores of every trial, for `voicegate threshold`')
    .action(async (options: EvalOptions) => {
      if (options.det !== undefined) requirePlotName(options.det);
      const { list, trials, against } = options;
      const read = [...list, trials, against].filter((path) => path !== undefined);
      await requireWritable([options.json, options.scoresFile, options.det], read);
      const { ffmpegPath } = config();
      const { evaluation, scored } = await evaluate(config(), options);
      process.stdout.write(evaluationText(evaluation));
      if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(evaluation, null, 2)}\n`);
      if (options.scoresFile !== undefined) await writeFile(options.scoresFile, scoreTable(scored));
      const heardNobody = scored.every(({ lists }) => lists.every(({ trials }) => trials.length === 0));
      if (heardNobody && (evaluation.channels ?? [evaluation]).every(({ phrases }) => phrases.lists.length === 0)) {
        throw new VoicegateError('invalid_request', 'nothing could be measured', {
          hint: 'What is said above of each recording or list tells why',
        });
      }
      if (options.det === undefined) return;
      const title = `${evaluation.model}, ${options.scores}, channel ${evaluation.channel}`;
      await writeDet(options.det, title, scored[0] as ScoredChannel, {
        scores: options.scores,
        thresholds: policyThresholds,
        ffmpegPath,
      });
    });
}

async function evaluate(
  config: Config,
  options: EvalOptions,
): Promise<{ evaluation: Evaluation; scored: readonly ScoredChannel[] }> {
  const lists = await readLists(options.list, { languages: Object.keys(promptLanguages), trialFile: options.trials });
  if (lists.speaker.length === 0 && (options.det ?? options.scoresFile) !== undefined) {
    throw new VoicegateError('invalid_request', 'the lists hold phrases only', {
      hint: 'A DET plot and a table of scores need a list of voices',
    });
  }
  const channels = channelsOf(options.channel, config.ffmpegPath);
  // Whatever can be found wrong is found before the hours of listening.
  await requireFiles(testedFiles(lists).map(({ file }) => file));
  const references = options.against === undefined ? null : await readReferenceSpeech(options.against);
  const ears = await openEars(config, options.model ?? config.modelId, options.digits, options.speech);
  try {
    requireScores(options.scores, ears);
    const parts = {
      ...ears,
      atOnce: 2 * config.workers + 2,
      onUnreadable: (file: string, reason: string) => process.stderr.write(`${file} cannot be heard: ${reason}\n`),
    };
    const scored = await withProgress('voices', (onProgress) =>
      scoreSpeakerLists(lists.speaker, channels, options.channelSide, { ...parts, onProgress }),
    );
    const phrases = await phraseReports(lists.phrases, channels, ears.phrases, {
      ...parts,
      randomWrongs: options.randomWrongs,
    });
    const report = { scores: options.scores, thresholds: policyThresholds, rounds: options.rounds };
    const reports = channels.map(({ name }): ChannelReport => {
      const own = scored.find((one) => one.channel === name);
      return {
        channel: name,
        speaker: reportSpeakers(own, report),
        phrases: {
          lists: phrases.measured.flatMap((byChannel) => byChannel.get(name) ?? []),
          skipped: phrases.skipped,
        },
      };
    });
    const leaks = references === null ? undefined : await leaksAgainst(references, lists, parts);
    const evaluation: Evaluation = {
      model: ears.card.id,
      modelSha256: ears.card.sha256,
      calibration: ears.scorer?.calibration.version ?? null,
      recogniser: ears.phrases?.recogniserId ?? null,
      scores: options.scores,
      speech: options.speech,
      channelSide: options.channelSide,
      bootstrapRounds: options.rounds,
      ...(reports[0] as ChannelReport),
      ...(leaks === undefined ? {} : { leaks }),
      ...(reports.length > 1 ? { channels: reports } : {}),
    };
    return { evaluation, scored };
  } finally {
    await ears.close();
  }
}

function requireScores(kind: ScoreKind, { card, scorer }: OpenEars): void {
  if (kind === 'cosine' || (kind === 'llr' ? scorer : scorer?.cohort)) return;
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

/** Measures the phrase lists one after the other; without a recogniser all are skipped. */
async function phraseReports(
  lists: readonly PhraseList[],
  channels: readonly Channel[],
  ear: OpenEars['phrases'],
  parts: Omit<PhraseParts, 'ear' | 'onProgress'>,
): Promise<{
  measured: ReadonlyMap<string, PhraseListReport>[];
  skipped: { name: string; reason: string }[];
}> {
  if (ear === null) {
    return { measured: [], skipped: lists.map(({ name }) => ({ name, reason: 'no digit recogniser is installed' })) };
  }
  const measured: ReadonlyMap<string, PhraseListReport>[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const list of lists) {
    const work = (onProgress: PhraseParts['onProgress']): Promise<ReadonlyMap<string, PhraseListReport>> =>
      evaluatePhraseList(list, channels, { ...parts, ear, onProgress });
    try {
      measured.push(await withProgress(list.name, work));
    } catch (fault) {
      if (!(fault instanceof VoicegateError && fault.code === 'invalid_request')) throw fault;
      skipped.push({ name: list.name, reason: `${fault.message}; ${fault.hint ?? ''}` });
    }
  }
  return { measured, skipped };
}

/** Every recording of the lists, enrolled, tested or asked about, held against training speech. */
async function leaksAgainst(
  references: readonly ReferenceFile[],
  lists: Lists,
  parts: Omit<LeakParts, 'onProgress'>,
): Promise<LeakReport> {
  return withProgress('leaks', (onProgress) => findLeaks(testedFiles(lists), references, 50, { ...parts, onProgress }));
}

const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];
const commas = (value: string): string[] => value.split(',').map((name) => name.trim());
