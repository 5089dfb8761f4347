import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import { unit } from './cosine.js';
import { fromFloat16, toFloat16 } from './float16.js';

/** Voices of people who are nobody's caller: what every comparison is measured against (as-norm.ts). */
export interface Cohort {
  /** Of the whole file, lower-case hex: a calibration names the cohort it was fitted with. */
  readonly sha256: string;
  readonly dimension: number;
  readonly size: number;
  /** size × dimension, one unit vector after another; centred where there is a centre. */
  readonly vectors: Float32Array;
  /** What is taken off every embedding before it is compared: the mean of the calls this was made for. Null: nothing. */
  readonly centre: Float32Array | null;
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
    centre: Type.Optional(
      Type.Object({
        dtype: Type.Literal('F32'),
        shape: Type.Tuple([Type.Integer({ minimum: 2 })]),
        data_offsets: Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })]),
      }),
    ),
  },
  { additionalProperties: false },
);

/** Bytes of the header's length before the header. */
const lengthBytes = 8;

/**
 * The bytes of a cohort file: the safetensors format with one float16 tensor `vectors`, and in its metadata the model and a hash of
 * each speaker's name. The hashes are plain: they tell who has the corpus' list which of its speakers are in, and nobody else anything.
 * @param entries unit vectors of the model's dimension as the model gave them, in any order; a speaker may have several
 * @param centre what is taken off every embedding before it is compared, of the model's dimension and shorter than 1; null: nothing
 */
export function cohortBytes(
  entries: readonly { readonly speaker: string; readonly vector: Float32Array }[],
  model: CohortModel,
  centre: Float32Array | null = null,
): Buffer {
  const bytes = entries.length * model.dimension * 2;
  const header: Static<typeof headerSchema> = {
    __metadata__: {
      modelId: model.id,
      modelSha256: model.sha256,
      speakers: entries.map(({ speaker }) => speakerHash(speaker)).join(' '),
    },
    vectors: { dtype: 'F16', shape: [entries.length, model.dimension], data_offsets: [0, bytes] },
    ...(centre === null
      ? {}
      : {
          centre: { dtype: 'F32', shape: [model.dimension], data_offsets: [bytes, bytes + model.dimension * 4] },
        }),
  };
  const text = JSON.stringify(header);
  // Padded with spaces, so that the tensor begins at a multiple of eight bytes.
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(head.length));
  const rows = entries.map(({ vector }) => Buffer.from(toFloat16(vector).buffer));
  return Buffer.concat([length, head, ...rows, Buffer.from(Float32Array.from(centre ?? []).buffer)]);
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
  const end = size * dimension * 2;
  const centreBytes = header.centre === undefined ? 0 : dimension * 4;
  if (buffer.length - start !== end + centreBytes || vectors.data_offsets[1] !== end) {
    return refuse(`holds ${buffer.length - start} bytes for ${size} vectors of ${dimension} float16 values`);
  }
  const data = Uint8Array.from(buffer.subarray(start)).buffer;
  const rows = unitRows(fromFloat16(new Uint16Array(data, 0, size * dimension)), dimension, refuse);
  const centre = centreBytes === 0 ? null : new Float32Array(data.slice(end));
  if (centre !== null) {
    if (!(Math.hypot(...centre) < 1)) return refuse('has a centre that is not shorter than 1');
    for (let at = 0; at < rows.length; at += dimension) {
      rows.set(centred(rows.subarray(at, at + dimension), centre), at);
    }
  }
  const sha256 = createHash('sha256').update(buffer).digest('hex');
  return { sha256, dimension, size, vectors: rows, centre };
}

/**
 * An embedding without what all calls have in common: its direction less the centre, as a unit vector.
 * @param centre of the same dimension, shorter than 1; null takes nothing off
 * @throws RangeError when the embedding has no direction or another dimension
 */
export function centred(vector: Float32Array, centre: Float32Array | null): Float32Array {
  const direction = unit(vector);
  if (centre === null) return direction;
  if (centre.length !== direction.length) {
    throw new RangeError(`${direction.length} dimensions against a centre of ${centre.length}`);
  }
  return unit(direction.map((value, i) => value - (centre[i] as number)));
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
