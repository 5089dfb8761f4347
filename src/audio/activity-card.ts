import { resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import { kaldiFbankSchema } from '../features/front-end-schema.js';
import type { NetworkSpec } from '../inference/network.js';
import { readCard } from '../inference/read-card.js';

const text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false } as const;

/** models/<id>/card.json of a speech activity network: log-mel frames in, one speech probability per window out. */
const activityCardSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$' }),
    file: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    frontEnd: kaldiFbankSchema(['none']),
    input: Type.Object({ name: text, layout: Type.Literal('time-bins'), lengthName: Type.Null() }, closed),
    outputName: text,
    /** The tensors by which a signal is heard in pieces. */
    memory: Type.Object(
      { stateName: text, nextStateName: text, size: Type.Integer({ minimum: 1 }), spanName: text },
      closed,
    ),
    /** Units on either side of a piece that it must be given to be heard as in the whole, with what the front-end's frames overlap. */
    lookAroundUnits: Type.Integer({ minimum: 0, maximum: 100 }),
    /** Samples that one probability stands for. */
    hopSamples: Type.Integer({ minimum: 1 }),
    licence: Type.Object({ spdx: text, attribution: text }, closed),
    trainedOn: Type.Array(Type.Object({ corpus: text, licence: text, speakers: Type.Integer({ minimum: 1 }) }, closed)),
    notes: Type.Array(text),
  },
  closed,
);

/** A speech activity network as data. */
export type ActivityCard = Static<typeof activityCardSchema>;

/**
 * Reads and checks the card in a model's folder. The ONNX file is checked by the worker that loads it.
 * @throws VoicegateError `model_invalid` naming the field
 */
export async function loadActivityCard(dir: string): Promise<ActivityCard> {
  return readCard(
    dir,
    activityCardSchema,
    'A speech activity model is a folder in models/ with a card.json like that of activity-8k',
  );
}

/** What the inference pool needs to run the network. `dir` is the card's folder. */
export function activityNetworkOf(card: ActivityCard, dir: string): NetworkSpec {
  const { id, sha256, frontEnd, input, outputName, memory } = card;
  return { id, onnxPath: resolve(dir, card.file), sha256, frontEnd, input, outputName, memory };
}
