import { fixture } from './callers.js';
import { audioOf, lineNoise } from './spoken-digits.js';

/** Utterances of a caller of audio-fixtures/callers in the order in which a call has them. */
const order = ['verify-1', 'enrol-4', 'verify-2', 'enrol-5', 'verify-3', 'verify-4'] as const;
/** The other side speaks meanwhile. */
const pausesSeconds = [0.6, 3, 1.4, 2.2, 0.4, 2.8];

/** The customer's side of a talk, to be heard in a circle: utterances of one caller with the pauses in which the agent speaks. µ-law, 8 kHz. */
export function callSide(caller: string): Buffer {
  return Buffer.concat(
    order.flatMap((name, n) => [
      audioOf(fixture(`callers/${caller}/${name}.wav`)),
      lineNoise(pausesSeconds[n] ?? 1, n),
    ]),
  );
}
