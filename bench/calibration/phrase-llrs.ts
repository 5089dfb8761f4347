import { join } from 'node:path';
import { checkResponse } from '../../src/challenge/check-response.js';
import { createDigitRecogniser } from '../../src/challenge/digit-recogniser.js';
import type { Language } from '../../src/challenge/languages.js';
import { loadRecogniserCard, recogniserNetworkOf } from '../../src/challenge/recogniser-card.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import { decodeFile, readTable } from './decode-file.js';

/** Phrase lists that are openly licensed, and those that may only be evaluated on. */
export const openPhraseLists = ['digits-en', 'digits-en-connected'] as const;
export const evaluationPhraseLists = ['digits-zh', 'digits-zh-connected', 'digits-zh-phone'] as const;

/** LLRs of one recording for what was said, and for strings that were not. */
export interface PhraseLlrs {
  readonly list: string;
  readonly speaker: string;
  readonly right: number;
  readonly wrong: readonly number[];
}

/** What a list of recordings makes of the recogniser. */
export interface HeardPhrases {
  readonly recogniserId: string;
  readonly recordings: readonly PhraseLlrs[];
}

/** Random strings that each recording is held against. */
const wrongStrings = 20;

/** The recogniser's calibrated LLRs on phrase lists of dev/; the wrong strings are drawn at random, of the length that was spoken. */
export async function phraseLlrs(speechDir: string, lists: readonly string[]): Promise<HeardPhrases> {
  const dir = join(modelsDir, 'digits-8k');
  const card = await loadRecogniserCard(dir);
  const pool = await startInferencePool({ networks: [recogniserNetworkOf(card, dir)], workers: 1, queueLimit: 10 });
  const recogniser = createDigitRecogniser(pool, card);
  const recordings: PhraseLlrs[] = [];
  for (const list of lists) {
    const language: Language = list.startsWith('digits-zh') ? 'zh' : 'en';
    const rows = await readTable(join(speechDir, 'dev', list, 'phrases.tsv'));
    const spokenIn = new Map(rows.map(({ file = '', speaker = '', spoken = '' }) => [file, { speaker, spoken }]));
    for (const [file, { speaker, spoken }] of spokenIn) {
      const heard = await recogniser.recognise(await decodeFile(join(speechDir, 'dev', list, file)), language);
      if (heard === null) continue;
      const llr = (expected: string): number => {
        const result = checkResponse(expected, heard);
        return result.kind === 'checked' ? result.llr : NaN;
      };
      const strings = Array.from({ length: wrongStrings }, (_, i) => otherDigits(spoken, `${file} ${i}`));
      recordings.push({ list, speaker: `${list}/${speaker}`, right: llr(spoken), wrong: strings.map(llr) });
    }
  }
  await pool.close();
  return { recogniserId: card.id, recordings };
}

/** Digits that differ from the spoken ones in two places at least, the same for the same seed (FNV-1a). */
function otherDigits(spoken: string, seed: string): string {
  let state = 2166136261;
  const next = (byte: number): number => (state = Math.imul(state ^ byte, 16777619) >>> 0);
  for (const char of seed) next(char.charCodeAt(0));
  for (;;) {
    const other = Array.from(spoken, (_, i) => String((next(i) >>> 13) % 10)).join('');
    if ([...other].filter((digit, i) => digit !== spoken[i]).length >= 2) return other;
  }
}
