import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { VoicegateError } from '../errors.js';
import { isFile } from './list-lines.js';
import { readPhraseFolder, type PhraseList } from './phrase-list.js';
import { readSpeakerFolder, type SpeakerList } from './speaker-list.js';
import { readTrialFile, usualTrialFiles } from './trial-file.js';

/** What folders of lists hold. */
export interface Lists {
  readonly speaker: readonly SpeakerList[];
  readonly phrases: readonly PhraseList[];
}

/**
 * Reads list folders. A folder holds enrol.tsv and trials.tsv (speaker-list.ts), or trials in Kaldi's or VoxCeleb's format (trial-file.ts),
 * or phrases.tsv (phrase-list.ts), or both kinds; a folder that holds none but has folders below it that do stands for all of those.
 * @param folders paths, relative to the working directory or absolute
 * @param options.languages tags that a phrase list's folder name may carry
 * @param options.trialFile trials in Kaldi's or VoxCeleb's format to be read in place of what a folder has; with one folder only
 * @throws VoicegateError `invalid_request` naming the folder, or file and line; two lists of one name are refused, since results go by it
 */
export async function readLists(
  folders: readonly string[],
  options: { readonly languages: readonly string[]; readonly trialFile?: string | undefined },
): Promise<Lists> {
  const { languages, trialFile } = options;
  if (trialFile !== undefined) {
    const [folder] = folders;
    if (folder === undefined || folders.length > 1) {
      throw new VoicegateError('invalid_request', `a file of trials with ${folders.length} list folders`, {
        hint: 'Name the one folder that its audio paths are relative to',
      });
    }
    return { speaker: [await readTrialFile(resolve(trialFile), resolve(folder))], phrases: [] };
  }
  const found: Lists[] = [];
  for (const folder of folders) found.push(await readFolder(resolve(folder), languages));
  const lists = { speaker: found.flatMap((one) => one.speaker), phrases: found.flatMap((one) => one.phrases) };
  for (const kind of [lists.speaker, lists.phrases]) {
    const names = kind.map((list) => list.name);
    const twice = names.find((name, at) => names.indexOf(name) < at);
    if (twice === undefined) continue;
    throw new VoicegateError('invalid_request', `two lists are named ${twice}`, {
      hint: 'Results go by the name of the folder',
    });
  }
  return lists;
}

/** Every recording that the lists name, once, with who speaks in it as far as they say: `<list>/<speaker>`. */
export function testedFiles({
  speaker,
  phrases,
}: Lists): readonly { readonly file: string; readonly speaker: string }[] {
  const found = new Map<string, string>();
  for (const list of speaker) {
    for (const { files, speaker: who } of list.models) for (const file of files) found.set(file, `${list.name}/${who}`);
    for (const { test } of list.trials) found.set(test, `${list.name}/${list.speakerOf.get(test) ?? basename(test)}`);
  }
  for (const list of phrases) for (const { file, speaker: who } of list.phrases) found.set(file, `${list.name}/${who}`);
  return [...found].map(([file, who]) => ({ file, speaker: who }));
}

async function readFolder(folder: string, languages: readonly string[]): Promise<Lists> {
  const own = await readOwnLists(folder, languages);
  if (own.speaker.length + own.phrases.length > 0) return own;
  const below: Lists[] = [];
  for (const name of await foldersIn(folder)) below.push(await readOwnLists(join(folder, name), languages));
  const all = { speaker: below.flatMap((one) => one.speaker), phrases: below.flatMap((one) => one.phrases) };
  if (all.speaker.length + all.phrases.length > 0) return all;
  throw new VoicegateError('invalid_request', `no list in ${folder}`, {
    hint: `A list is a folder with enrol.tsv and trials.tsv, with phrases.tsv, or with one of ${usualTrialFiles.join(', ')}`,
  });
}

async function readOwnLists(folder: string, languages: readonly string[]): Promise<Lists> {
  const has = (name: string): Promise<boolean> => isFile(join(folder, name));
  const speaker: SpeakerList[] = [];
  if (await has('trials.tsv')) speaker.push(await readSpeakerFolder(folder));
  else {
    for (const name of usualTrialFiles) {
      if (speaker.length === 0 && (await has(name))) speaker.push(await readTrialFile(join(folder, name), folder));
    }
  }
  return { speaker, phrases: (await has('phrases.tsv')) ? [await readPhraseFolder(folder, languages)] : [] };
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    throw new VoicegateError('invalid_request', `the list folder ${folder} cannot be read`, {
      hint: 'Give the path of a folder, relative to where the command runs',
      cause,
    });
  }
}
