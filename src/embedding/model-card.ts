import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import type { NetworkSpec } from '../inference/network.js';
import { frontEndSchemas } from '../features/front-end-schema.js';
import { modelCardSchema, type ModelCard } from './model-card-schema.js';

export type { ModelCard } from './model-card-schema.js';

/**
 * Reads and checks `card.json` of a model's folder. The ONNX file itself is checked by the worker that loads it.
 * @throws VoicegateError `model_invalid` naming the field
 */
export async function loadModelCard(dir: string): Promise<ModelCard> {
  const name = basename(resolve(dir));
  let card: unknown;
  try {
    card = JSON.parse(await readFile(join(dir, 'card.json'), 'utf8'));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : 'cannot be read';
    throw new VoicegateError('model_invalid', `the card of model ${name} ${reason}`, {
      hint: 'Each model is a folder in models/ with a card.json; models/README.md describes its fields',
      cause,
    });
  }
  check(name, modelCardSchema, card);
  checkTogether(name, card);
  return card;
}

/** What the inference pool needs to run the card's network. `dir` is the card's folder. */
export function networkOf(
  card: Pick<ModelCard, 'id' | 'file' | 'sha256' | 'frontEnd' | 'input' | 'outputName'>,
  dir: string,
): NetworkSpec {
  return {
    id: card.id,
    onnxPath: resolve(dir, card.file),
    sha256: card.sha256,
    frontEnd: card.frontEnd,
    input: card.input,
    outputName: card.outputName,
  };
}

function check(name: string, schema: typeof modelCardSchema, card: unknown): asserts card is ModelCard {
  if (Value.Check(schema, card)) return;
  // A front-end that fits none of the families is explained by the one it says it is.
  const frontEnd = (card as { frontEnd?: { kind?: unknown } } | null)?.frontEnd;
  const kind = frontEnd?.kind;
  const known = typeof kind === 'string' && kind in frontEndSchemas ? (kind as keyof typeof frontEndSchemas) : null;
  const inFrontEnd = frontEnd !== undefined && known !== null ? firstError(frontEndSchemas[known], frontEnd) : null;
  if (inFrontEnd !== null) refuse(name, `frontEnd${inFrontEnd.field}`, inFrontEnd.message);
  if (frontEnd !== undefined && known === null) {
    refuse(name, 'frontEnd.kind', `must be one of ${Object.keys(frontEndSchemas).join(', ')}`);
  }
  const error = firstError(schema, card);
  refuse(name, error?.field.slice(1) || 'card', error?.message ?? 'does not fit the schema');
}

/** Rules that join several fields. */
function checkTogether(name: string, card: ModelCard): void {
  const { frontEnd, input } = card;
  if (card.id !== name) refuse(name, 'id', `is ${card.id}, but the folder is named ${name}`);
  if ((frontEnd.kind === 'waveform') !== (input.layout === 'samples')) {
    refuse(name, 'input.layout', `${input.layout} does not go with a front-end of kind ${frontEnd.kind}`);
  }
  if (frontEnd.kind !== 'waveform' && frontEnd.frameShiftMs > frontEnd.frameLengthMs) {
    refuse(name, 'frontEnd.frameShiftMs', 'must not be longer than frameLengthMs');
  }
}

/** The first thing wrong: its field as a path with dots, and what would be right. */
function firstError(schema: TSchema, value: unknown): { field: string; message: string } | null {
  const errors = Value.Errors(schema, value);
  const [first] = errors;
  if (first === undefined) return null;
  const field = first.instancePath.replaceAll('/', '.');
  switch (first.keyword) {
    case 'required':
      return { field: `${field}.${first.params.requiredProperties[0] ?? ''}`, message: 'is missing' };
    case 'boolean':
      return { field, message: 'is not a field of a card' };
    case 'const': {
      const here = errors.filter((error) => error.instancePath === first.instancePath);
      const allowed = here.flatMap((error) => (error.keyword === 'const' ? [String(error.params.allowedValue)] : []));
      return { field, message: `must be one of ${allowed.join(', ')}` };
    }
    default:
      return { field, message: first.message };
  }
}

function refuse(name: string, field: string, reason: string): never {
  throw new VoicegateError('model_invalid', `the card of model ${name}: ${field}: ${reason}`, {
    hint: 'models/README.md describes the fields of a card',
    details: { field },
  });
}
