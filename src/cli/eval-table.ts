import { basename, dirname } from 'node:path';
import type { Interval } from '../tuning/bootstrap.js';
import type { ChannelReport, Evaluation } from '../tuning/evaluation.js';
import type { PhraseListReport } from '../tuning/evaluate-phrases.js';
import type { LeakReport } from '../tuning/leaks.js';
import type { Rates } from '../tuning/speaker-report.js';

type Cells = readonly string[];

/** An evaluation as text for a terminal: a table for each channel. Percent, with 95 % intervals in brackets. */
export function evaluationText(evaluation: Evaluation): string {
  const { model, scores, speech, calibration, recogniser } = evaluation;
  const head = [
    `model ${model}, ${scores} scores, ${speech} speech, calibration ${calibration ?? 'none'}, digits ${recogniser ?? 'none'}`,
    '[95 % intervals: bootstrap over models for voices, Wilson for phrases]',
  ];
  const parts = (evaluation.channels ?? [evaluation]).flatMap((one) => channelText(one));
  return `${[...head, ...parts, ...leakText(evaluation.leaks)].join('\n')}\n`;
}

function channelText({ channel, speaker, phrases }: ChannelReport): string[] {
  const lines: string[] = [];
  if (speaker.pooled !== null) {
    const reports = [...speaker.lists, { name: 'pooled', ...speaker.pooled }];
    lines.push(
      '',
      `voices, channel ${channel}`,
      ...columns([voiceHead, ...reports.map((one) => voiceRow(one.name, one))]),
    );
    lines.push('', 'not acquired (too little speech): tests, models, trials left out');
    for (const { name, notAcquired, tests, models } of reports) {
      if (notAcquired.trials > 0 || name === 'pooled') {
        lines.push(
          `  ${name}: ${notAcquired.tests} of ${tests}, ${notAcquired.models} of ${models}, ${notAcquired.trials}`,
        );
      }
    }
    if (speaker.pooled.thresholds.length > 0) {
      const head = ['FNMR / FMR %', ...speaker.pooled.thresholds.map(({ name, llr }) => `${name} (LLR ${llr})`)];
      const rows = reports.map(({ name, thresholds }) => [
        name,
        ...thresholds.map((at) => `${percent(at.fnmr)} / ${percent(at.fmr)}`),
      ]);
      lines.push('', 'at the thresholds of the default policy, voice alone', ...columns([head, ...rows]));
    }
    const groups = reports.flatMap((one) =>
      one.groups.map((group) => voiceRow(`${one.name}, ${group.by} ${group.value}`, group)),
    );
    lines.push('', 'groups', ...columns([voiceHead, ...groups]));
  }
  if (phrases.lists.length > 0) {
    lines.push(
      '',
      `phrases accepted (verdict match), channel ${channel}, %`,
      ...columns([phraseHead, ...phrases.lists.map(phraseRow)]),
    );
  }
  for (const { name, reason } of phrases.skipped) lines.push('', `phrase list ${name} skipped: ${reason}`);
  return lines;
}

const voiceHead = ['list', 'target/nontarget', 'EER %', 'minDCF .01', '.001', 'actDCF .01', '.001', 'Cllr', 'min Cllr'];

function voiceRow(name: string, rates: Rates): Cells {
  const cost = (value: number | null): string => value?.toFixed(3) ?? '-';
  return [
    name,
    `${rates.targets}/${rates.nontargets}`,
    rates.eer === null ? '-' : `${percent(rates.eer)}${range(rates.eerInterval, percent)}`,
    `${cost(rates.minDcf01)}${range(rates.minDcf01Interval, (value) => value.toFixed(3))}`,
    cost(rates.minDcf001),
    cost(rates.actDcf01),
    cost(rates.actDcf001),
    cost(rates.cllr),
    cost(rates.minCllr),
  ];
}

const phraseHead = ['list', 'language', 'right', 'near', 'wrong', 'random wrong', 'near seen as near'];

function phraseRow(report: PhraseListReport): Cells {
  const accepted = (share: number | null, interval: Interval, of: number): string =>
    share === null ? '-' : `${percent(share)}${range(interval, percent)} of ${of}`;
  return [
    report.name,
    report.language,
    accepted(report.rightAccepted, report.rightAcceptedInterval, report.right),
    accepted(report.nearAccepted, report.nearAcceptedInterval, report.near),
    accepted(report.wrongAccepted, report.wrongAcceptedInterval, report.wrong),
    accepted(report.randomWrongAccepted, report.randomWrongAcceptedInterval, report.randomWrong),
    report.nearSeen === null ? '-' : percent(report.nearSeen),
  ];
}

const percent = (share: number): string => (100 * share).toFixed(100 * share < 0.1 && share > 0 ? 3 : 2);
const range = (interval: Interval | null, show: (value: number) => string): string =>
  interval === null ? '' : ` [${show(interval[0])}, ${show(interval[1])}]`;

/** The strongest signs first; file names without their folders' path. */
function leakText(leaks: LeakReport | undefined): string[] {
  if (leaks === undefined) return [];
  const { testFiles, referenceFiles, referenceSpeakers, sameRecording, nearestSpeakers, unreadable } = leaks;
  const same = sameRecording.map(({ test, reference, verdict, agreement, overlapSeconds }) => [
    `${basename(dirname(test))}/${basename(test)}`,
    basename(reference),
    verdict,
    agreement.toFixed(3),
    overlapSeconds.toFixed(1),
  ]);
  const near = nearestSpeakers.slice(0, 20).map((one) => [one.speaker, one.referenceSpeaker, one.cosine.toFixed(3)]);
  const against = `${testFiles} test files against ${referenceFiles} training files of ${referenceSpeakers} speakers`;
  return [
    '',
    `leaks: ${against}${unreadable > 0 ? `, ${unreadable} unreadable` : ''}`,
    ...(same.length === 0
      ? ['no test file is a training recording, as far as fingerprints tell']
      : columns([['test file', 'training file', 'verdict', 'agreement', 'overlap s'], ...same])),
    '',
    'test voices most like a training voice (cosine; strangers reach high values too when thousands are compared)',
    ...columns([['test speaker', 'training speaker', 'cosine'], ...near]),
  ];
}

/** Cells under each other, the first column to the left, numbers to the right. */
function columns(rows: readonly Cells[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
