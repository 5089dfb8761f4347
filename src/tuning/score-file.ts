import { listFault, readTable } from './list-lines.js';
import type { ScoredChannel } from './evaluate-speakers.js';
import type { SpeakerScore } from './threshold.js';
import type { ScoreKind } from './speaker-report.js';
import { isTargetLabel } from './speaker-list.js';
import { basename } from 'node:path';

const columns = [
  'channel',
  'list',
  'model',
  'modelSpeaker',
  'test',
  'testSpeaker',
  'label',
  'cosine',
  'asnorm',
  'llr',
  'testNetSpeechSeconds',
];

/** Every trial's scores as a table separated by tabs, one line a trial; a score that the model has not is empty. */
export function scoreTable(channels: readonly ScoredChannel[]): string {
  const lines = [columns.join('\t')];
  for (const { channel, lists } of channels) {
    for (const { name, trials } of lists) {
      for (const trial of trials) {
        const scores = [trial.cosine, trial.normalised, trial.llr].map((score) => score?.toFixed(6) ?? '');
        const who = [trial.model, trial.modelSpeaker, basename(trial.test), trial.testSpeaker];
        const label = trial.isTarget ? 'target' : 'nontarget';
        lines.push([channel, name, ...who, label, ...scores, trial.testNetSpeechSeconds.toFixed(2)].join('\t'));
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Scores of one kind out of a table that scoreTable wrote. Columns modelSpeaker, testSpeaker, label and the kind's are needed; with a column
 * `channel` one channel is read.
 * @param channel undefined: the table must hold one only
 * @throws VoicegateError `invalid_request` naming file and line
 */
export async function readScores(file: string, kind: ScoreKind, channel?: string): Promise<SpeakerScore[]> {
  const rows = await readTable(file, ['modelSpeaker', 'testSpeaker', 'label', kind]);
  const own = channel === undefined ? rows : rows.filter((row) => row.values['channel'] === channel);
  const channels = [...new Set(own.map((row) => row.values['channel']))];
  if (own.length === 0 || channels.length > 1) {
    throw listFault({ file, line: 1 }, `${own.length === 0 ? 'no' : 'several'} channels`, 'Name the channel to read');
  }
  return own.map(({ values, ...place }) => {
    const score = Number(values[kind]);
    if (!Number.isFinite(score)) throw listFault(place, `${kind} is ${values[kind]}`, 'A score is a number');
    return {
      modelSpeaker: values['modelSpeaker'] ?? '',
      testSpeaker: values['testSpeaker'] ?? '',
      isTarget: isTargetLabel(values['label'] ?? '', place),
      score,
    };
  });
}
