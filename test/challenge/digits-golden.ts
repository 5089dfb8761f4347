import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DigitPosteriors } from '../../src/challenge/digit-posteriors.js';
import type { Language } from '../../src/challenge/languages.js';
import { rootDir } from '../../src/paths.js';

/** What the Python reference makes of fixtures and of drawn posteriors: make_digits_golden.py of this folder. */
export interface DigitsGolden {
  readonly fixtures: readonly {
    readonly file: string;
    /** The recording up to `cutSample`, half a second of silence, and the whole recording. */
    readonly falseStart: boolean;
    readonly cutSample: number;
    readonly language: Language;
    readonly heard: string;
    readonly heardLlr: number;
    readonly spans: readonly (readonly [startSample: number, endSample: number, confidence: number])[];
    readonly asked: readonly {
      readonly expected: string;
      readonly verdict: 'match' | 'near' | 'wrong' | 'silence';
      readonly llr: number;
    }[];
  }[];
  readonly matrices: readonly {
    readonly logs: readonly number[];
    readonly heard: string;
    readonly spans: readonly (readonly [startSample: number, endSample: number, confidence: number])[];
    /** Log probability; null: the string cannot lie in so few frames. */
    readonly strings: readonly (readonly [digits: string, logProbability: number | null])[];
  }[];
}

/** Read anew at each call. */
export const digitsGolden = (): DigitsGolden =>
  JSON.parse(readFileSync(join(rootDir, 'test', 'challenge', 'digits-golden.json'), 'utf8')) as DigitsGolden;

/** Posteriors from a list of natural logs, row by row. */
export const posteriorsOf = (logs: readonly number[]): DigitPosteriors => ({
  frames: logs.length / 11,
  probabilities: Float64Array.from(logs, Math.exp),
});
