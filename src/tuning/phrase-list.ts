import { basename, join, resolve } from 'node:path';
import { listFault, readTable, type Place } from './list-lines.js';
import type { Attributes } from './speaker-list.js';

/** right: what was expected was said; near: all but one digit; wrong: two digits or more differ. */
export type PhraseLabel = 'right' | 'near' | 'wrong';

/** One question to the digit recogniser: does this recording say these digits? */
export interface ListedPhrase {
  /** Absolute path. */
  readonly file: string;
  readonly speaker: string;
  /** Digits 0 to 9, as said. */
  readonly spoken: string;
  readonly expected: string;
  readonly label: PhraseLabel;
  /** The words as they were said (yī or yāo), where the list has them. */
  readonly words: string | null;
  /** Language tag; null where neither a column nor the folder's name says it. */
  readonly language: string | null;
  readonly attributes: Attributes;
  readonly place: Place;
}

/** Recordings of digit strings with questions about them. */
export interface PhraseList {
  /** Base name of the folder. */
  readonly name: string;
  readonly folder: string;
  readonly phrases: readonly ListedPhrase[];
}

/**
 * Reads a folder with phrases.tsv: file, speaker, spoken, expected, label; `words` and `language` (or `lang`) may be there, other columns are
 * attributes. Without a language column the folder's name tells it where one of its parts between hyphens is a known tag.
 * @param languages known tags
 * @throws VoicegateError `invalid_request` naming file and line
 */
export async function readPhraseFolder(folder: string, languages: readonly string[]): Promise<PhraseList> {
  const name = basename(folder);
  const named = name.split(/[-_.]/).find((part) => languages.includes(part)) ?? null;
  const rows = await readTable(join(folder, 'phrases.tsv'), ['file', 'speaker', 'spoken', 'expected', 'label']);
  const phrases = rows.map(({ values, ...place }): ListedPhrase => {
    const {
      file = '',
      speaker = '',
      spoken = '',
      expected = '',
      label = '',
      words,
      language,
      lang,
      ...attributes
    } = values;
    for (const [column, digits] of Object.entries({ spoken, expected })) {
      if (!/^[0-9]+$/.test(digits))
        throw listFault(place, `${column} is ${JSON.stringify(digits)}`, 'Digits 0 to 9 only');
    }
    if ((labelOf(label, place) === 'right') !== (spoken === expected)) {
      throw listFault(
        place,
        `${label}, though what was expected was ${spoken === expected ? '' : 'not '}said`,
        'right: all digits as expected; near: all but one; wrong: two or more differ',
      );
    }
    return {
      file: resolve(folder, file),
      speaker,
      spoken,
      expected,
      label: labelOf(label, place),
      words: words || null,
      language: language || lang || named,
      attributes,
      place,
    };
  });
  if (rows[0] === undefined) {
    throw listFault({ file: join(folder, 'phrases.tsv'), line: 1 }, 'no phrases', 'One line for each question');
  }
  return { name, folder, phrases };
}

function labelOf(label: string, place: Place): PhraseLabel {
  if (label === 'right' || label === 'near' || label === 'wrong') return label;
  throw listFault(place, `label is ${JSON.stringify(label)}`, 'A label is right, near or wrong');
}
