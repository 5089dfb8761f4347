import Type from 'typebox';
import type { FrameNormalisation } from './front-end.js';

const closed = { additionalProperties: false } as const;
const share = Type.Number({ minimum: 0, maximum: 1 });
const positive = Type.Number({ exclusiveMinimum: 0 });
const sampleRateHz = Type.Integer({ minimum: 8000, maximum: 48_000 });

/** One of some names; its type is their union, which `map` alone would lose. */
const literals = <T extends string>(names: readonly T[]) =>
  Type.Unsafe<T>(Type.Union(names.map((name) => Type.Literal(name))));

const frames = {
  sampleRateHz,
  frameLengthMs: Type.Number({ minimum: 5, maximum: 100 }),
  frameShiftMs: Type.Number({ minimum: 1, maximum: 100 }),
  preEmphasis: share,
  melBins: Type.Integer({ minimum: 1, maximum: 256 }),
  lowHz: Type.Number({ minimum: 0 }),
  highHz: Type.Number(),
};

/** A card's `frontEnd` of Kaldi's family, with those normalisations that the kind of network can be given. Meanings of the fields: front-end.ts. */
export const kaldiFbankSchema = <N extends FrameNormalisation>(normalisations: readonly N[]) =>
  Type.Object(
    {
      kind: Type.Literal('kaldi-fbank'),
      ...frames,
      normalisation: literals(normalisations),
      window: literals(['povey', 'hamming', 'hann', 'rectangular']),
      removeDcOffset: Type.Boolean(),
      snipEdges: Type.Boolean(),
      sampleScale: positive,
      energyFloor: Type.Number({ minimum: 1e-37 }),
    },
    closed,
  );

/** One schema per family of speaker models; the field `kind` says which. */
export const frontEndSchemas = {
  'kaldi-fbank': kaldiFbankSchema(['none', 'global-mean', 'per-feature']),
  'nemo-mel': Type.Object(
    {
      kind: Type.Literal('nemo-mel'),
      ...frames,
      normalisation: literals(['none', 'global-mean', 'per-feature']),
      window: Type.Literal('hann'),
      fftSize: Type.Integer({ minimum: 64, maximum: 2048 }),
      logOffset: Type.Number({ minimum: 1e-37 }),
      padFramesTo: Type.Integer({ minimum: 1, maximum: 1024 }),
    },
    closed,
  ),
  waveform: Type.Object({ kind: Type.Literal('waveform'), sampleRateHz, sampleScale: positive }, closed),
} as const;
