import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';

/**
 * Reads `card.json` of a network's folder and checks it against the schema of its kind. The ONNX file is checked by the worker that loads it.
 * @param dir the folder, whose name must be the card's `id`
 * @param hint what such a folder holds, for whoever has to mend it
 * @throws VoicegateError `model_invalid` naming the field (details: field)
 */
export async function readCard<S extends TSchema>(dir: string, schema: S, hint: string): Promise<Static<S>> {
  const name = basename(resolve(dir));
  let card: unknown;
  try {
    card = JSON.parse(await readFile(join(dir, 'card.json'), 'utf8'));
  } catch (cause) {
    throw new VoicegateError('model_invalid', `the card of model ${name} cannot be read`, { hint, cause });
  }
  if (!Value.Check(schema, card)) {
    const [first] = Value.Errors(schema, card);
    const field = first?.instancePath.slice(1).replaceAll('/', '.') || 'card';
    throw refusedCard(name, field, first?.message ?? 'does not fit', hint);
  }
  const { id } = card as { id?: unknown };
  if (id !== name) throw refusedCard(name, 'id', `is ${String(id)}, but the folder is named ${name}`, hint);
  return card;
}

/** The error for a card whose `field` is wrong. */
export function refusedCard(name: string, field: string, reason: string, hint: string): VoicegateError {
  return new VoicegateError('model_invalid', `the card of model ${name}: ${field}: ${reason}`, {
    hint,
    details: { field },
  });
}
