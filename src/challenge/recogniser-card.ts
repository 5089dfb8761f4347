import { basename, resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import { kaldiFbankSchema } from '../features/front-end-schema.js';
import type { NetworkSpec } from '../inference/network.js';
import { readCard, refusedCard } from '../inference/read-card.js';

const closed = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const positive = Type.Number({ exclusiveMinimum: 0 });
const count = Type.Integer({ minimum: 0 });
const fileName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' });

const frontEnd = kaldiFbankSchema(['none', 'global-mean']);

/** What the recogniser knows of one language, and how far it may be trusted with it. */
const recogniserLanguage = Type.Object(
  {
    /** experimental: missed its target on some list of `measured`; the verdict counts only where a policy says so. */
    status: Type.Union([Type.Literal('supported'), Type.Literal('experimental')]),
    /** Units of the language begin with it; all others are left out when the language is asked for. */
    unitPrefix: text,
    /** For each of 0 to 9 the units that mean it (yī and yāo, zero and oh). */
    digitUnits: Type.Array(Type.Array(text, { minItems: 1 }), { minItems: 10, maxItems: 10 }),
    /** Log posteriors are divided by it: above 1, the network is less sure than it says. */
    temperature: Type.Number({ minimum: 0.1, maximum: 10 }),
    /** Least probability of the gap and of each digit in a frame: no frame can veto a string for ever. */
    floor: Type.Number({ minimum: 1e-12, maximum: 0.05 }),
    /** Natural log weights of the blank's probability and of that of units that are no digit. */
    blankWeight: Type.Number({ minimum: -20, maximum: 0 }),
    fillerWeight: Type.Number({ minimum: -20, maximum: 0 }),
    /** Least log posterior probability of the expected string for a match; of it and its neighbours together for a near miss. */
    matchLlr: Type.Number({ maximum: 0 }),
    nearMissLlr: Type.Number({ maximum: 0 }),
    /** A match may be less probable than its neighbours, one digit away, together: by at most this factor, natural log. */
    rivalMargin: positive,
    /** Natural LLR that the string was said = scale · (log posterior) + offset, held within what the trials can show. */
    calibration: Type.Object(
      {
        scale: positive,
        offset: Type.Number(),
        leastLlr: Type.Number({ maximum: 0 }),
        mostLlr: Type.Number({ minimum: 0 }),
        fittedOn: text,
      },
      closed,
    ),
  },
  closed,
);

/** models/<id>/card.json of a digit recogniser: log-mel frames in, log posteriors of spoken units out. */
const recogniserCardSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$' }),
    file: fileName,
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    frontEnd,
    input: Type.Object({ name: text, layout: Type.Literal('time-bins'), lengthName: Type.Null() }, closed),
    outputName: text,
    /** Samples between two rows of the output, and the sample that row 0 is centred on. */
    frameSamples: Type.Integer({ minimum: 1 }),
    firstFrameCentreSample: count,
    /** Shorter input is not given to the network, seconds. */
    shortestSeconds: positive,
    /** Names of the output's columns; the first is CTC's blank. */
    units: Type.Array(text, { minItems: 11, uniqueItems: true }),
    /** By language code, as in challenge/languages.ts. */
    languages: Type.Record(Type.String({ pattern: '^[a-z]{2}$' }), recogniserLanguage),
    licence: Type.Object({ spdx: text, attribution: text }, closed),
    trainedOn: Type.Array(
      Type.Object({ corpus: text, licence: text, speakers: Type.Integer({ minimum: 1 }) }, closed),
      {
        minItems: 1,
      },
    ),
    /** Counts of files and strings, with the conditions they hold under. */
    measured: Type.Object(
      {
        conditions: text,
        lists: Type.Array(
          Type.Object(
            {
              list: text,
              language: text,
              channel: Type.Union([Type.Literal('plain'), Type.Literal('phone')]),
              files: count,
              digitErrorPercent: Type.Number({ minimum: 0 }),
              rightAccepted: count,
              right: count,
              nearAccepted: count,
              near: count,
              wrongAccepted: count,
              wrong: count,
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    /** A known signal and rows of the output it must give: checked at every start. */
    golden: Type.Object(
      {
        signal: Type.Literal('sweeps-and-bursts'),
        file: fileName,
        largestDifference: Type.Number({ exclusiveMinimum: 0, maximum: 0.1 }),
      },
      closed,
    ),
    notes: Type.Array(text),
  },
  closed,
);

/** A digit recogniser as data. */
export type RecogniserCard = Static<typeof recogniserCardSchema>;
/** One language of a recogniser as data. */
export type RecogniserLanguage = Static<typeof recogniserLanguage>;

const hint =
  'A digit recogniser is a folder in models/ with a card.json as src/challenge/recogniser-card.ts describes it';

/**
 * Reads and checks the card in a recogniser's folder. The ONNX file is checked by the worker that loads it.
 * @throws VoicegateError `model_invalid` naming the field
 */
export async function loadRecogniserCard(dir: string): Promise<RecogniserCard> {
  const card = await readCard(dir, recogniserCardSchema, hint);
  const known = new Set(card.units);
  for (const [code, { digitUnits, unitPrefix }] of Object.entries(card.languages)) {
    const stranger = digitUnits.flat().find((unit) => !known.has(unit) || !unit.startsWith(unitPrefix));
    if (stranger === undefined) continue;
    const reason = `${stranger} is not among units, or does not begin with ${unitPrefix}`;
    throw refusedCard(basename(resolve(dir)), `languages.${code}.digitUnits`, reason, hint);
  }
  return card;
}

/** What the inference pool needs to run the network. `dir` is the card's folder. */
export function recogniserNetworkOf(card: RecogniserCard, dir: string): NetworkSpec {
  const { id, sha256, frontEnd: front, input, outputName } = card;
  return { id, onnxPath: resolve(dir, card.file), sha256, frontEnd: front, input, outputName };
}
