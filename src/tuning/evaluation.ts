import type { PhraseListReport } from './evaluate-phrases.js';
import type { ScoredChannel } from './evaluate-speakers.js';
import type { LeakReport } from './leaks.js';
import { reportList, reportPooled, type ReportOptions, type SpeakerListReport } from './speaker-report.js';

/** Everything measured under one channel. */
export interface ChannelReport {
  readonly channel: string;
  readonly speaker: {
    readonly lists: readonly SpeakerListReport[];
    /** All speaker lists' trials thrown together; null without speaker lists. */
    readonly pooled: Omit<SpeakerListReport, 'name'> | null;
  };
  readonly phrases: {
    readonly lists: readonly PhraseListReport[];
    /** Lists that were not measured, and why. */
    readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  };
}

/** The result of an evaluation, as it is written as JSON. Rates are shares in [0, 1], counts whole numbers. */
export interface Evaluation extends ChannelReport {
  readonly model: string;
  readonly modelSha256: string;
  readonly calibration: string | null;
  readonly recogniser: string | null;
  /** What eer and minDcf are of. */
  readonly scores: ReportOptions['scores'];
  readonly speech: 'kept' | 'whole';
  readonly channelSide: 'test' | 'both';
  readonly bootstrapRounds: number;
  /** Signs of test speech among training speech, with `--against`. */
  readonly leaks?: LeakReport;
  /** Every channel when several were asked for; the first of them is also what stands above. */
  readonly channels?: readonly ChannelReport[];
}

/** The speaker half of a channel's report. */
export function reportSpeakers(scored: ScoredChannel | undefined, options: ReportOptions): ChannelReport['speaker'] {
  const lists = scored?.lists ?? [];
  return {
    lists: lists.map((list) => reportList(list, options)),
    pooled: lists.length === 0 ? null : reportPooled(lists, options),
  };
}
