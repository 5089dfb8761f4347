import { join } from 'node:path';
import { keptSpeech, type KeepRules } from '../src/audio/kept-speech.js';
import type { SpeechActivityDetector } from '../src/audio/speech-activity.js';
import type { SpeechActivity } from '../src/audio/waveform.js';
import { devFiles, speakerLists, tableOf, type DevFile } from './activity-files.js';

/** Of all dev lists. */
export const sampleRateHz = 8000;

/** A speaker list with its recordings, where somebody speaks in each, and its trials. */
export interface OpenList {
  readonly name: string;
  readonly heard: readonly { readonly file: DevFile; readonly activity: SpeechActivity }[];
  readonly models: ReadonlyMap<string, readonly string[]>;
  readonly trials: readonly { readonly model: string; readonly test: string; readonly isTarget: boolean }[];
}

async function openList(speechDir: string, name: string, detector: SpeechActivityDetector): Promise<OpenList> {
  const folder = join(speechDir, 'dev', name);
  const enrol = await tableOf(join(folder, 'enrol.tsv'));
  const trials = await tableOf(join(folder, 'trials.tsv'));
  const heard = [];
  for (const file of await devFiles(speechDir, name)) {
    heard.push({ file, activity: await detector.detect({ samples: file.samples, sampleRateHz }) });
  }
  return {
    name,
    heard,
    models: new Map(enrol.map(({ model = '', files = '' }) => [model, files.split(',')])),
    trials: trials.map(({ model = '', test = '', label }) => ({ model, test, isTarget: label === 'target' })),
  };
}

/** All seven speaker lists, one after the other. */
export async function openSpeakerLists(speechDir: string, detector: SpeechActivityDetector): Promise<OpenList[]> {
  const lists: OpenList[] = [];
  for (const name of speakerLists) lists.push(await openList(speechDir, name, detector));
  return lists;
}

/** A file in which nobody was found is heard whole: the trial has to be scored. */
export function keptOrWhole(file: DevFile, activity: SpeechActivity, rules: KeepRules): Float32Array {
  const kept = keptSpeech({ samples: file.samples, sampleRateHz }, activity, rules);
  return kept.length > 0 ? kept : file.samples;
}
