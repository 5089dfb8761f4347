import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from '../errors.js';
import { sweepsAndBursts } from '../inference/golden-signal.js';
import type { InferencePool } from '../inference/network.js';
import type { RecogniserCard } from './recogniser-card.js';

/** The part of a golden file that is checked: the first columns of some rows, by the row's number. */
const goldenSchema = Type.Object({
  logp_first_24_units: Type.Record(Type.String({ pattern: '^[0-9]+$' }), Type.Array(Type.Number(), { minItems: 1 }), {
    minProperties: 1,
  }),
});

/**
 * Gives the card's golden signal to the recogniser in the warm pool and compares: the whole path from samples to log posteriors is the one
 * the recogniser was measured with.
 * @param dir the card's folder
 * @returns the largest difference from the golden rows, natural log
 * @throws VoicegateError `model_invalid` when the golden file does not fit the card or the output differs
 */
export async function checkRecogniserGolden(pool: InferencePool, card: RecogniserCard, dir: string): Promise<number> {
  const refuse = (reason: string, hint: string, cause?: unknown): VoicegateError =>
    new VoicegateError('model_invalid', `recogniser ${card.id}: ${reason}`, { hint, cause });
  let golden: unknown;
  try {
    golden = JSON.parse(await readFile(join(dir, card.golden.file), 'utf8'));
  } catch (cause) {
    throw refuse(`${card.golden.file} cannot be read`, 'models/README.md says what a golden file holds', cause);
  }
  if (!Value.Check(goldenSchema, golden)) {
    throw refuse(
      `${card.golden.file} has no rows logp_first_24_units`,
      'models/README.md says what a golden file holds',
    );
  }
  const { values, dims } = await pool.run(card.id, sweepsAndBursts(card.frontEnd.sampleRateHz));
  const units = dims[2] ?? 0;
  let largest = 0;
  for (const [frame, row] of Object.entries(golden.logp_first_24_units)) {
    row.forEach((wanted, unit) => {
      const found = values[Number(frame) * units + unit] ?? NaN;
      const difference = Math.abs(found - wanted);
      largest = difference <= largest ? largest : difference;
    });
  }
  if (largest <= card.golden.largestDifference) return largest;
  throw refuse(
    `its output for the golden signal is ${largest.toFixed(4)} away from the golden one, at most ${card.golden.largestDifference} is allowed`,
    'Does the front-end of the card describe the one that the recogniser was trained with?',
  );
}
