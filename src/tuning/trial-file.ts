import { basename, join, resolve } from 'node:path';
import { isFile, listFault, readLines, type ListLine, type Place } from './list-lines.js';
import {
  assembleSpeakerList,
  isTargetLabel,
  type ListedModel,
  type RawTrial,
  type SpeakerList,
} from './speaker-list.js';

/** Names under which a folder's trials are found when none is given. */
export const usualTrialFiles = ['trials', 'trials.txt', 'trials.lst', 'veri_test2.txt', 'veri_test.txt'] as const;

/** Folders beside the trials where Kaldi's tables of the two sides may lie. */
const enrolFolders = ['', 'enrol', 'enroll'];
const testFolders = ['', 'test'];

/**
 * Reads trials in one of the two common formats, told apart line by line:
 *
 * - Kaldi: `enrol test target|nontarget` (or 1|0). `enrol` is a model of spk2utt or utt2spk (in the folder or in enrol/ or enroll/ below it),
 *   an utterance of wav.scp, or a file's path.
 * - VoxCeleb: `1|0 enrol test`, both file paths; each enrolled file is a model. Who speaks is told by the target trials.
 *
 * Utterances are files by wav.scp (in the folder, enrol/, enroll/ or test/), else paths relative to the folder.
 * @param file path of the trials, `folder` where its audio and tables lie
 * @throws VoicegateError `invalid_request` naming file and line
 */
export async function readTrialFile(file: string, folder: string): Promise<SpeakerList> {
  const lines = (await readLines(file)).map(trialOf);
  const audio = await recordings(folder);
  const enrolled = await enrolments(folder);
  const path = (name: string): string => audio.get(name) ?? resolve(folder, name);
  const models = new Map<string, ListedModel & { place: Place }>();
  const trials = lines.map(({ model: id, test, ...trial }): RawTrial => {
    const { file: listFile, line } = trial;
    const files = (enrolled.get(id) ?? [id]).map(path);
    if (!models.has(id)) models.set(id, { id, speaker: id, files, attributes: {}, place: { file: listFile, line } });
    return { ...trial, model: id, test: path(test), attributes: {} };
  });
  const said = [...(await testSpeakers(folder))].map(
    ([utterance, speaker]) => [path(utterance), { speaker, digits: undefined, attributes: {} }] as const,
  );
  return assembleSpeakerList(folder, [...models.values()], trials, new Map(said));
}

function trialOf({ text, ...place }: ListLine): Place & { model: string; test: string; isTarget: boolean } {
  const words = text.trim().split(/\s+/);
  const [first = '', second = '', third = ''] = words;
  if (words.length !== 3) {
    throw listFault(
      place,
      `${words.length} words`,
      'A trial is `enrol test target|nontarget` (Kaldi) or `1|0 enrol test` (VoxCeleb)',
    );
  }
  return first === '0' || first === '1'
    ? { ...place, model: second, test: third, isTarget: first === '1' }
    : { ...place, model: first, test: second, isTarget: isTargetLabel(third, place) };
}

/** Utterance → path, out of every wav.scp that is there. */
async function recordings(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const below of new Set([...enrolFolders, ...testFolders])) {
    const table = join(folder, below, 'wav.scp');
    if (!(await isFile(table))) continue;
    for (const line of await readLines(table)) {
      const [utterance, path] = named(line, 'utterance and path');
      if (path.endsWith('|')) throw listFault(line, 'a command in place of a path', 'wav.scp may hold paths only');
      found.set(utterance, resolve(folder, path));
    }
  }
  return found;
}

/** Model → utterances, out of the first spk2utt or utt2spk that is there. */
async function enrolments(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const below of enrolFolders) {
    const bySpeaker = join(folder, below, 'spk2utt');
    if (await isFile(bySpeaker)) {
      const rows = (await readLines(bySpeaker)).map((line) => named(line, 'speaker and utterances'));
      return new Map(rows.map(([speaker, utterances]) => [speaker, utterances.split(/\s+/)]));
    }
    const byUtterance = join(folder, below, 'utt2spk');
    if (!(await isFile(byUtterance))) continue;
    const found = new Map<string, string[]>();
    for (const line of await readLines(byUtterance)) {
      const [utterance, speaker] = named(line, 'utterance and speaker');
      found.set(speaker, [...(found.get(speaker) ?? []), utterance]);
    }
    return found;
  }
  return new Map();
}

/** Utterance → speaker, out of every utt2spk of the test side. */
async function testSpeakers(folder: string): Promise<ReadonlyMap<string, string>> {
  const found: [string, string][] = [];
  for (const below of testFolders) {
    const table = join(folder, below, 'utt2spk');
    if (!(await isFile(table))) continue;
    found.push(...(await readLines(table)).map((line) => named(line, 'utterance and speaker')));
  }
  return new Map(found);
}

/** First word and the rest. */
function named(line: ListLine, wanted: string): [string, string] {
  const match = /^\s*(\S+)\s+(.*\S)\s*$/.exec(line.text);
  if (match === null) throw listFault(line, 'one word only', `${basename(line.file)} has ${wanted} on each line`);
  return [match[1] as string, match[2] as string];
}
