import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import { fromFloat16, toFloat16 } from './float16.js';

/** Voices of people who are nobody's caller: what every comparison is measured against (as-norm.ts). */
export interface Cohort {
  /** Of the whole file, lower-case hex: a calibration names the cohort it was fitted with. */
  readonly sha256: string;
  readonly dimension: number;
  readonly size: number;
  /** size × dimension, one unit vector after another. */
  readonly vectors: Float32Array;
}

/** The model that a cohort must belong to; a model card fits. */
export interface CohortModel {
  readonly id: string;
  readonly sha256: string;
  readonly dimension: number;
}

/** Header of the safetensors format: a tensor's place by its name, and free texts. */
const headerSchema = Type.Object(
  {
    __metadata__: Type.Object({
      modelId: Type.String(),
      modelSha256: Type.String(),
      /** SHA-256 of each row's speaker, first 16 hex digits, joined by spaces. */
      speakers: Type.String(),
    }),
    vectors: Type.Object({
      dtype: Type.Literal('F16'),
      shape: Type.Tuple([Type.Integer({ minimum: 2 }), Type.Integer({ minimum: 2 })]),
      data_offsets: Type.Tuple([Type.Literal(0), Type.Integer({ minimum: 1 })]),
    }),
  },
  { additionalProperties: false },
);

/** Bytes of the header's length before the header. */
const lengthBytes = 8;

/**
 * The bytes of a cohort file: the safetensors format with one float16 tensor `vectors`, and in its metadata the model and a hash of
 * each speaker's name. The hashes are plain: they tell who has the corpus' list which of its speakers are in, and nobody else anything.
 * @param entries unit vectors of the model's dimension, in any order; a speaker may have several
 */
export function cohortBytes(
  entries: readonly { readonly speaker: string; readonly vector: Float32Array }[],
  model: CohortModel,
): Buffer {
  const bytes = entries.length * model.dimension * 2;
  const header: Static<typeof headerSchema> = {
    __metadata__: {
      modelId: model.id,
      modelSha256: model.sha256,
      speakers: entries.map(({ speaker }) => speakerHash(speaker)).join(' '),
    },
    vectors: { dtype: 'F16', shape: [entries.length, model.dimension], data_offsets: [0, bytes] },
  };
  const text = JSON.stringify(header);
  // Padded with spaces, so that the tensor begins at a multiple of eight bytes.
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(head.length));
  const rows = entries.map(({ vector }) => Buffer.from(toFloat16(vector).buffer));
  return Buffer.concat([length, head, ...rows]);
}

/** What a cohort file says of a speaker. */
export function speakerHash(speaker: string): string {
  return createHash('sha256').update(speaker).digest('hex').slice(0, 16);
}

/**
 * Reads the bytes of a cohort file.
 * @throws VoicegateError `model_invalid` when they are no cohort, or one of another model or dimension
 */
export function parseCohort(bytes: Uint8Array, model: CohortModel): Cohort {
  const refuse = (reason: string): never => {
    throw new VoicegateError('model_invalid', `the cohort of ${model.id} ${reason}`, {
      hint: 'a cohort holds embeddings of one model: make it again with bench/calibrate',
    });
  };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headBytes = buffer.length > lengthBytes ? Number(buffer.readBigUInt64LE()) : Infinity;
  const start = lengthBytes + headBytes;
  if (!(start <= buffer.length)) return refuse('is cut short');
  const header = jsonOf(buffer.toString('utf8', lengthBytes, start));
  if (!Value.Check(headerSchema, header)) return refuse('has no header of a float16 tensor `vectors`');
  const { __metadata__: made, vectors } = header;
  const [size, dimension] = vectors.shape;
  if (made.modelId !== model.id || made.modelSha256 !== model.sha256) {
    return refuse(
      `was made by ${made.modelId} ${made.modelSha256.slice(0, 12)}…, not by ${model.sha256.slice(0, 12)}…`,
    );
  }
  if (dimension !== model.dimension)
    return refuse(`has vectors of ${dimension} values, the card says ${model.dimension}`);
  if (buffer.length - start !== size * dimension * 2 || vectors.data_offsets[1] !== size * dimension * 2) {
    return refuse(`holds ${buffer.length - start} bytes for ${size} vectors of ${dimension} float16 values`);
  }
  const halves = new Uint16Array(Uint8Array.from(buffer.subarray(start)).buffer);
  const sha256 = createHash('sha256').update(buffer).digest('hex');
  return { sha256, dimension, size, vectors: unitRows(fromFloat16(halves), dimension, refuse) };
}

/**
 * Reads models/<id>/cohort.safetensors.
 * @throws VoicegateError `model_invalid` when it is missing, or as `parseCohort` does
 */
export async function loadCohort(path: string, model: CohortModel): Promise<Cohort> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new VoicegateError('model_invalid', `the cohort of ${model.id} cannot be read`, {
      hint: 'its calibration normalises scores with a cohort; bench/calibrate makes both',
      cause,
    });
  });
  return parseCohort(bytes, model);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Rounding to half floats leaves lengths near 1: divided out, in place. */
function unitRows(vectors: Float32Array, dimension: number, refuse: (reason: string) => never): Float32Array {
  for (let at = 0; at < vectors.length; at += dimension) {
    const row = vectors.subarray(at, at + dimension);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    if (!(Math.abs(length - 1) < 0.01)) refuse(`holds a vector of length ${length} at row ${at / dimension}, not 1`);
    for (let i = 0; i < dimension; i++) row[i] = (row[i] as number) / length;
  }
  return vectors;
}
