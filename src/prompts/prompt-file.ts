import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';

/** Any text may stand for the placeholder. */
export const anyText = 'any text';

/**
 * What a set of prompts consists of: the name of each prompt and the placeholders that it may use. A placeholder with a list of values may
 * stand in the name of a recording too, since there is a recording for each of them.
 */
export type PromptNames = Readonly<Record<string, Readonly<Record<string, typeof anyText | readonly string[]>>>>;

/** A piece as it stands in a file, checked. */
export interface WrittenPiece {
  readonly text: string;
  readonly audio: string | null;
  /** Values of the placeholders that may stand in the name of the recording. */
  readonly values: Readonly<Record<string, readonly string[]>>;
}

const line = Type.String({ maxLength: 2000, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });
const piece = Type.Union([
  line,
  Type.Object(
    { text: line, audio: Type.String({ pattern: '^(https?://[^\\s"<>]+|[A-Za-z0-9][A-Za-z0-9._{}-]*)$' }) },
    { additionalProperties: false },
  ),
]);
const prompt = Type.Union([piece, Type.Array(piece, { minItems: 1, maxItems: 20 })]);

/**
 * Reads one file of prompts: a JSON object from the prompt's name to a text, a piece `{ "text", "audio" }`, or a list of both.
 * @param absence whether a file that is not there is an empty one
 * @throws VoicegateError `configuration_invalid` naming the file, the prompt and what would be right
 */
export async function readPromptFile(
  dir: string,
  file: string,
  names: PromptNames,
  absence: 'may be absent' | 'must be there' = 'must be there',
): Promise<Readonly<Record<string, readonly WrittenPiece[]>>> {
  const path = join(dir, file);
  const invalid = (message: string, hint: string, cause?: unknown): VoicegateError =>
    new VoicegateError('configuration_invalid', `${path}: ${message}`, { hint, cause });
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && absence === 'may be absent') return {};
    throw invalid('cannot be read', 'A readable file of prompts must lie there', cause);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw invalid(`is not JSON: ${(cause as Error).message}`, 'Write an object: "name": "text"', cause);
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw invalid('is not an object', 'Write an object: "name": "text"');
  }
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => {
      const placeholders = Object.hasOwn(names, name) ? names[name] : undefined;
      if (placeholders === undefined) {
        throw invalid(
          `has the unknown prompt ${JSON.stringify(name)}`,
          `The prompts are ${Object.keys(names).join(', ')}`,
        );
      }
      if (!Value.Check(prompt, value)) {
        throw invalid(
          `prompt ${JSON.stringify(name)} is neither a text, nor { "text", "audio" }, nor a list of these`,
          'A text is one line; audio is an http(s) address or the name of a file beside this one',
        );
      }
      const pieces = (Array.isArray(value) ? value : [value]).map((one) =>
        typeof one === 'string' ? { text: one, audio: null } : one,
      );
      const values = Object.fromEntries(
        Object.entries(placeholders).filter((entry): entry is [string, readonly string[]] => entry[1] !== anyText),
      );
      for (const { text, audio } of pieces) {
        for (const [where, written, allowed] of [
          ['its text', text, Object.keys(placeholders)],
          ['the name of its recording', audio ?? '', Object.keys(values)],
        ] as const) {
          const fault = badPlaceholder(written, allowed);
          if (fault === null) continue;
          throw invalid(
            `prompt ${JSON.stringify(name)} has ${fault}`,
            allowed.length === 0
              ? `There are no placeholders in ${where}`
              : `In ${where} it may use ${allowed.map((one) => `{${one}}`).join(', ')}`,
          );
        }
      }
      return [name, pieces.map((one) => ({ ...one, values }))];
    }),
  );
}

/** What is wrong with the braces of a text, or null. */
function badPlaceholder(text: string, allowed: readonly string[]): string | null {
  const unknown = [...text.matchAll(/\{(\w+)\}/g)].find(([, name]) => !allowed.includes(name ?? ''));
  if (unknown !== undefined) return `the unknown placeholder ${unknown[0]}`;
  return /[{}]/.test(text.replace(/\{\w+\}/g, '')) ? 'a brace that belongs to no placeholder' : null;
}
