import { promptLanguages, type Language } from '../challenge/languages.js';
import { VoicegateError } from '../errors.js';
import { promptsDir } from '../paths.js';
import { readPromptFile, type PromptNames, type WrittenPiece } from './prompt-file.js';
import { readRecording, type Recording } from './recordings.js';

export { anyText } from './prompt-file.js';
export type { Recording } from './recordings.js';

/** A piece of a prompt, ready to be heard. */
export interface Piece {
  readonly text: string;
  /** A recording to be played in place of the text: an http(s) address, or the name of one of `recordings`. Null: there is none. */
  readonly audio: string | null;
}

/** What a prompt wants filled in. */
type Values<Names extends PromptNames, Name extends keyof Names> = Readonly<Record<keyof Names[Name] & string, string>>;
/** Nothing to fill in, nothing to pass. */
type Fill<Names extends PromptNames, Name extends keyof Names> = keyof Names[Name] extends never
  ? []
  : [values: Values<Names, Name>];

/** A set of prompts in every language. */
export interface Prompts<Names extends PromptNames> {
  /** The pieces of a prompt with its placeholders filled. */
  pieces<Name extends keyof Names & string>(language: Language, name: Name, ...fill: Fill<Names, Name>): Piece[];
  /** The same as one text, for eyes or a person who reads it out. */
  text<Name extends keyof Names & string>(language: Language, name: Name, ...fill: Fill<Names, Name>): string;
  /** Every prompt's text with its placeholders unfilled, for a page that fills them itself. */
  templates(language: Language): Readonly<Record<keyof Names & string, string>>;
  /** The recordings that lie beside the prompts, by file name. */
  readonly recordings: ReadonlyMap<string, Recording>;
}

/**
 * Reads a set of prompts: the shipped files `<set>.<language>.json`, and over them those of the operator's folder, prompt by prompt.
 * @param set first part of the file names, e.g. `ivr`
 * @param ownDir the operator's folder (setting VOICEGATE_PROMPTS_DIR), or null
 * @throws VoicegateError `configuration_invalid` naming file and prompt: missing or unknown, a placeholder that the prompt does not have, a
 *   recording that is not there
 */
export async function loadPrompts<const Names extends PromptNames>(
  set: string,
  names: Names,
  ownDir: string | null,
): Promise<Prompts<Names>> {
  const recordings = new Map<string, Recording>();
  const written = {} as Record<Language, Record<string, readonly WrittenPiece[]>>;
  for (const language of Object.keys(promptLanguages) as Language[]) {
    const file = `${set}.${language}.json`;
    const shipped = await readPromptFile(promptsDir, file, names);
    for (const name of Object.keys(names)) {
      if (shipped[name] === undefined) {
        throw new VoicegateError('configuration_invalid', `${file} has no prompt ${JSON.stringify(name)}`, {
          hint: 'Add it, with the placeholders that the program names',
        });
      }
    }
    const own = ownDir === null ? {} : await readPromptFile(ownDir, file, names, 'may be absent');
    written[language] = { ...shipped, ...own };
    await readRecordings(promptsDir, file, shipped, recordings);
    if (ownDir !== null) await readRecordings(ownDir, file, own, recordings);
  }
  const piecesOf = (language: Language, name: string, values: Readonly<Record<string, string>> = {}): Piece[] =>
    (written[language][name] ?? []).map(({ text, audio }) => ({
      text: filled(text, values),
      audio: audio === null ? null : filled(audio, values),
    }));
  const textOf = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('');
  return {
    pieces: (language, name, ...[values]) => piecesOf(language, name, values),
    text: (language, name, ...[values]) => textOf(piecesOf(language, name, values)),
    templates: (language) =>
      Object.fromEntries(Object.entries(written[language]).map(([name, pieces]) => [name, textOf(pieces)])) as Record<
        keyof Names & string,
        string
      >,
    recordings,
  };
}

/** Reads the recordings that a file names, from the folder it lies in. */
async function readRecordings(
  dir: string,
  file: string,
  prompts: Readonly<Record<string, readonly WrittenPiece[]>>,
  into: Map<string, Recording>,
): Promise<void> {
  for (const { audio, values } of Object.values(prompts).flat()) {
    for (const name of audio === null || isAddress(audio) ? [] : everyName(audio, values)) {
      into.set(name, await readRecording(dir, name, file));
    }
  }
}

/** A recording that lies elsewhere. */
export const isAddress = (audio: string): boolean => /^https?:\/\//.test(audio);

/** Fills placeholders in one pass: what is filled in is not looked at again. */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** The names that a recording's name stands for: one for each combination of its placeholders' values. */
function everyName(audio: string, values: WrittenPiece['values']): string[] {
  const [whole, name] = /\{(\w+)\}/.exec(audio) ?? [];
  if (whole === undefined || name === undefined) return [audio];
  return (values[name] ?? []).flatMap((value) => everyName(audio.replaceAll(whole, value), values));
}
