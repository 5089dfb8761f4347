import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static, type TNull, type TSchema, type TUnion } from 'typebox';
import { Value } from 'typebox/value';
import { modelCardSchema } from '../embedding/model-card-schema.js';
import { VoicegateError } from '../errors.js';
import { modelsDir } from '../paths.js';
import { familyIds } from './families.js';

const closed = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const orUnknown = <T extends TSchema>(schema: T): TUnion<[T, TNull]> => Type.Union([schema, Type.Null()]);

const entrySchema = Type.Object(
  {
    id: modelCardSchema.properties.id,
    title: text,
    family: Type.Enum(familyIds),
    /** Name it is published under. */
    file: text,
    /** Where it is published, for people. */
    published: text,
    /** Null: the operator gives one with --url. */
    address: orUnknown(Type.String({ pattern: '^https://' })),
    sha256: modelCardSchema.properties.sha256,
    bytes: orUnknown(Type.Integer({ minimum: 1 })),
    dimension: orUnknown(modelCardSchema.properties.dimension),
    sampleRateHz: Type.Integer({ minimum: 8000, maximum: 48_000 }),
    licence: modelCardSchema.properties.licence,
    /** What the licence asks to be looked at, e.g. that of the corpora. */
    licenceNote: text,
    trainedOn: modelCardSchema.properties.trainedOn,
    /** What others say of it; nothing here was measured by us. */
    claims: Type.Array(
      Type.Object(
        {
          list: text,
          eerPercent: Type.Number({ minimum: 0, maximum: 100 }),
          conditions: text,
          source: text,
        },
        closed,
      ),
    ),
    /** What nobody we know of has said or tried. */
    unknown: Type.Array(text),
  },
  closed,
);

const catalogueSchema = Type.Object({ sources: Type.Array(text), models: Type.Array(entrySchema) }, closed);

/** A public model as the catalogue knows it. */
export type CatalogueEntry = Static<typeof entrySchema>;

/**
 * The checked-in list of public models.
 * @param path JSON; by default models/catalogue.json
 * @throws VoicegateError `model_invalid` naming the field that is wrong
 */
export function readCatalogue(path = join(modelsDir, 'catalogue.json')): readonly CatalogueEntry[] {
  const catalogue: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const [fault] = Value.Errors(catalogueSchema, catalogue);
  if (fault !== undefined) {
    throw new VoicegateError('model_invalid', `the catalogue of models: ${fault.instancePath} ${fault.message}`);
  }
  return (catalogue as Static<typeof catalogueSchema>).models;
}

/** @throws VoicegateError `not_found` listing the ids there are */
export function catalogueEntry(catalogue: readonly CatalogueEntry[], id: string): CatalogueEntry {
  const entry = catalogue.find((candidate) => candidate.id === id);
  if (entry !== undefined) return entry;
  throw new VoicegateError('not_found', `the catalogue has no model ${id}`, {
    hint: `It has ${catalogue.map((candidate) => candidate.id).join(', ')}; for another file there is \`voicegate models add\``,
  });
}

/** What a card takes over from an entry, with all that is claimed or unknown as notes. */
export function ofEntry(entry: CatalogueEntry): {
  readonly licence: CatalogueEntry['licence'];
  readonly trainedOn: CatalogueEntry['trainedOn'];
  readonly notes: readonly string[];
} {
  return {
    licence: entry.licence,
    trainedOn: entry.trainedOn,
    notes: [
      `${entry.title}: ${entry.file}, ${entry.published}.`,
      `Licence: ${entry.licenceNote}`,
      ...entry.claims.map(
        ({ list, eerPercent, conditions, source }) =>
          `Claimed, not measured here: EER ${eerPercent} % on ${list} (${conditions}); ${source}.`,
      ),
      ...entry.unknown.map((what) => `Unknown: ${what}`),
    ],
  };
}
