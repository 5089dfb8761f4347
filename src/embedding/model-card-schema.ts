import Type, { type Static } from 'typebox';
import { frontEndSchemas } from '../features/front-end-schema.js';

const closed = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const positive = Type.Number({ exclusiveMinimum: 0 });
const share = Type.Number({ minimum: 0, maximum: 1 });
/** The file's own folder: no path leads out of it. */
const fileName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' });

/** models/<id>/card.json: all that is known about a speaker model. What is not in it, the code does not assume. */
export const modelCardSchema = Type.Object(
  {
    /** The folder's name; stored with every voiceprint. */
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$' }),
    file: fileName,
    /** Of the ONNX file, lower-case hex. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    frontEnd: Type.Union([frontEndSchemas['kaldi-fbank'], frontEndSchemas['nemo-mel'], frontEndSchemas.waveform]),
    /** Tensors; see inference/network.ts. */
    input: Type.Object(
      {
        name: text,
        layout: Type.Union([Type.Literal('time-bins'), Type.Literal('bins-time'), Type.Literal('samples')]),
        lengthName: Type.Union([text, Type.Null()]),
      },
      closed,
    ),
    outputName: text,
    /** Length of an embedding. */
    dimension: Type.Integer({ minimum: 2, maximum: 4096 }),
    /** Shortest input the network is given, seconds. */
    shortestSeconds: positive,
    licence: Type.Object({ spdx: text, attribution: text }, closed),
    trainedOn: Type.Array(
      Type.Object(
        {
          corpus: text,
          licence: text,
          /** Null: those who made the model do not say. */
          speakers: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    /** Error rates with the conditions they hold under. */
    measured: Type.Object(
      {
        conditions: text,
        lists: Type.Array(
          Type.Object(
            {
              list: text,
              eerPercent: Type.Number({ minimum: 0, maximum: 100 }),
              /** Normalised minimum detection cost at a target prior of 0.01. */
              minDcf: share,
              asNormEerPercent: Type.Union([Type.Number({ minimum: 0, maximum: 100 }), Type.Null()]),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    /** A known signal and the embedding it must give: checked at every start. */
    golden: Type.Object(
      {
        signal: Type.Literal('sweeps-and-bursts'),
        file: fileName,
        minimumCosine: Type.Number({ minimum: 0.99, maximum: 1 }),
      },
      closed,
    ),
    notes: Type.Array(text),
  },
  closed,
);

/** A model card as data. */
export type ModelCard = Static<typeof modelCardSchema>;
