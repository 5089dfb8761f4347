import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
const positive = Type.Number({ exclusiveMinimum: 0 });
const count = Type.Integer({ minimum: 0 });
const share = Type.Number({ minimum: 0 });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** What a calibration may look at beside the score; score-voice.ts has each one's formula. */
const measureName = Type.Union([
  Type.Literal('ln-test-seconds'),
  Type.Literal('ln-enrol-seconds'),
  Type.Literal('test-snr-db'),
]);

/** Voice, phrase and PIN as one LLR; the formula is in fusion.ts. */
const fusionSchema = Type.Object(
  {
    /** Weights of the voice's and the phrase's LLR, and what is added to them. */
    voice: positive,
    phrase: Type.Number({ minimum: 0 }),
    offset: Type.Number(),
    /** Added for a right PIN. Assumed, not fitted: no trials tell how many impostors know it. */
    rightPinLlr: Type.Number({ minimum: 0 }),
    /** The range of phrase LLRs that counts. */
    leastPhraseLlr: Type.Number(),
    mostPhraseLlr: Type.Number(),
    /** The phrase recogniser whose LLRs were fused. */
    recogniserId: Type.String({ minLength: 1 }),
    /** Over the same folds as the voice's: mean Cllr of the three attacks, bits. */
    crossValidation: Type.Object({ cllr: positive }, closed),
  },
  closed,
);

/** models/<id>/calibration.json: how a model's cosine becomes a log-likelihood ratio, and where that was learned. */
export const calibrationSchema = Type.Object(
  {
    /** Recorded with every verification, e.g. `2026-11-22.1`. */
    version: Type.String({ minLength: 1, maxLength: 40 }),
    modelId: Type.String({ minLength: 1, maxLength: 80 }),
    modelSha256: sha256,
    /** `as-norm`: the score is the cosine normalised with the cohort of this hash (as-norm.ts); `none`: the cosine itself. */
    normalisation: Type.Union([
      Type.Object({ kind: Type.Literal('none') }, closed),
      Type.Object({ kind: Type.Literal('as-norm'), cohortSha256: sha256, topN: Type.Integer({ minimum: 2 }) }, closed),
    ]),
    /** llr = scale · score + offset + Σ weight · measure, each measure held within least and most, the range that the fit has seen. */
    voice: Type.Object(
      {
        scale: positive,
        offset: Type.Number(),
        measures: Type.Array(
          Type.Object(
            {
              name: measureName,
              weight: Type.Number(),
              least: Type.Number(),
              most: Type.Number(),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    fusion: fusionSchema,
    /** Voice LLRs of different speakers on the fitting trials: the service draws decoy evidence from these. */
    nontarget: Type.Object({ meanLlr: Type.Number(), sdLlr: positive }, closed),
    /**
     * Tail of the LLRs of one person's voiceprint against another's, as tuning/tail.ts fits it: what a search among many prints is held against. Absent: not
     * measured.
     */
    printTail: Type.Optional(
      Type.Object(
        {
          level: Type.Number(),
          share: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
          shape: Type.Number({ minimum: -0.5, maximum: 0.5 }),
          scale: positive,
          exceedances: count,
          /** Voiceprints that were compared with each other, and how they were come by. */
          searches: count,
          prints: count,
          command: Type.String({ minLength: 1 }),
        },
        closed,
      ),
    ),
    fittedOn: Type.Array(
      Type.Object(
        {
          source: Type.String({ minLength: 1 }),
          condition: Type.String({ minLength: 1 }),
          speakers: count,
          targets: count,
          nontargets: count,
        },
        closed,
      ),
      { minItems: 1 },
    ),
    /** Speaker-disjoint cross-validation of the voice LLR over the fitting trials; null where nobody said who speaks in them. */
    crossValidation: Type.Union([
      Type.Object({ folds: Type.Integer({ minimum: 2 }), cllr: share, minCllr: share, eer: share }, closed),
      Type.Null(),
    ]),
    date: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
    command: Type.String({ minLength: 1 }),
    notes: Type.Array(Type.String()),
  },
  closed,
);

/** A calibration as data; see `calibrationSchema`. */
export type Calibration = Static<typeof calibrationSchema>;
export type Fusion = Static<typeof fusionSchema>;
export type MeasureName = Static<typeof measureName>;
