import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { speechDir } from '../../bench/real-callers.js';
import { decodeAudio } from '../../src/audio/decode.js';
import { isMatch } from '../../src/challenge/check-response.js';
import { createDigitRecogniser, type DigitEvidence } from '../../src/challenge/digit-recogniser.js';
import { loadRecogniserCard, recogniserNetworkOf } from '../../src/challenge/recogniser-card.js';
import { startInferencePool } from '../../src/inference/pool.js';
import { modelsDir } from '../../src/paths.js';
import { readPhraseFolder } from '../../src/tuning/phrase-list.js';

const speech = speechDir();
const limits = { maxBytes: 1e7, maxSeconds: 60, ffmpegPath: 'ffmpeg', ffmpegProcesses: 2, ffmpegTimeoutMs: 60_000 };
/** Some of the shorter lists; `voicegate eval` takes them all. */
const lists = ['digits-zh', 'digits-zh-phone', 'digits-en-connected'];

void t.test(
  'on real speech as many right and one-digit-off strings are accepted as the card says the Python reference accepts',
  { skip: speech === null && 'needs the speech folder' },
  async (t) => {
    t.setTimeout(230_000);
    const dir = join(modelsDir, 'digits-8k');
    const card = await loadRecogniserCard(dir);
    const pool = await startInferencePool({ networks: [recogniserNetworkOf(card, dir)], workers: 2, queueLimit: 1000 });
    t.teardown(() => pool.close());
    const recogniser = createDigitRecogniser(pool, card);
    const heardIn = async (file: string, language: 'zh' | 'en'): Promise<DigitEvidence> => {
      const { waveform } = await decodeAudio(readFileSync(file), { channel: 'mono', targetRateHz: 8000, limits });
      const heard = await recogniser.recognise(waveform.samples, language);
      if (heard === null) throw new Error(`${card.id} does not know ${language}`);
      return heard;
    };
    for (const name of lists) {
      const wanted = card.measured.lists.find(({ list, channel }) => list === name && channel === 'plain');
      if (wanted === undefined) throw new Error(`the card has no figures of ${name}`);
      const language = wanted.language === 'zh' ? 'zh' : 'en';
      const { phrases } = await readPhraseFolder(join(speech ?? '', 'dev', name), ['zh', 'en']);
      const files = [...new Set(phrases.map(({ file }) => file))];
      const heard = new Map<string, DigitEvidence>();
      for (let first = 0; first < files.length; first += 4) {
        const some = files.slice(first, first + 4);
        const evidences = await Promise.all(some.map((file) => heardIn(file, language)));
        some.forEach((file, index) => heard.set(file, evidences[index] as DigitEvidence));
      }
      const accepted = { right: 0, near: 0, wrong: 0 };
      for (const { file, expected, label } of phrases) {
        const evidence = heard.get(file) as DigitEvidence;
        if (isMatch(expected, evidence)) accepted[label]++;
      }
      t.comment(
        `${name}: ${JSON.stringify(accepted)}; card: ${wanted.rightAccepted} right, ${wanted.nearAccepted} near`,
      );
      t.ok(Math.abs(accepted.right - wanted.rightAccepted) <= 2, `${name}: right strings`);
      t.ok(Math.abs(accepted.near - wanted.nearAccepted) <= 2, `${name}: one digit off`);
    }
  },
);
