import { readFile, stat } from 'node:fs/promises';
import { VoicegateError } from '../errors.js';

/** Where in a list something stands, for messages. */
export interface Place {
  /** Path as it was opened. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A line that says something, without its end. */
export interface ListLine extends Place {
  readonly text: string;
}

/** A row under a head: values by column name. */
export interface TableRow extends Place {
  readonly values: Readonly<Record<string, string>>;
}

/** The error for a list that cannot be used: names file and line. */
export function listFault(place: Place, problem: string, hint: string): VoicegateError {
  return new VoicegateError('invalid_request', `${place.file} line ${place.line}: ${problem}`, {
    hint,
    details: { line: place.line },
  });
}

/**
 * The lines of a text file that are not blank, in order. A byte order mark and carriage returns are left out.
 * @throws VoicegateError `invalid_request` when the file cannot be read or is not UTF-8
 */
export async function readLines(file: string): Promise<ListLine[]> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'it is not UTF-8 text';
    throw new VoicegateError('invalid_request', `the list ${file} cannot be read: ${reason}`, { cause });
  }
  return text
    .split('\n')
    .map((line, index) => ({ file, line: index + 1, text: line.replace(/\r$/, '') }))
    .filter((line) => line.text.trim() !== '');
}

/**
 * A table of values separated by tabs, under a head that names the columns.
 * @param needed columns that must be there; others are kept too
 * @throws VoicegateError `invalid_request` naming file and line: a column is missing or named twice, a row is shorter or longer than the
 *   head, a needed value is empty
 */
export async function readTable(file: string, needed: readonly string[]): Promise<TableRow[]> {
  const [head, ...lines] = await readLines(file);
  if (head === undefined) {
    throw new VoicegateError('invalid_request', `the list ${file} is empty`, { hint: headHint(needed) });
  }
  const names = head.text.split('\t').map((name) => name.trim());
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) throw listFault(head, `no column ${missing.join(', ')}`, headHint(needed));
  if (new Set(names).size < names.length) throw listFault(head, 'a column is named twice', headHint(needed));
  return lines.map(({ text, ...place }) => {
    const cells = text.split('\t').map((cell) => cell.trim());
    if (cells.length !== names.length) {
      throw listFault(place, `${cells.length} columns`, `The head has ${names.length}, separated by tabs`);
    }
    const values = Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']));
    const empty = needed.find((name) => values[name] === '');
    if (empty !== undefined) throw listFault(place, `${empty} is empty`, headHint(needed));
    return { ...place, values };
  });
}

const headHint = (needed: readonly string[]): string =>
  `The first line names the columns, separated by tabs; needed are ${needed.join(', ')}`;

/** Whether a path leads to a file. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
