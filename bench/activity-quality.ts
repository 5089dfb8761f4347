import { assessQuality } from '../src/audio/quality.js';
import { openEars } from './activity.js';
import { devFiles, speakerLists } from './activity-files.js';
import { noiseKinds, seededRandom, withNoise } from './activity-noise.js';

const sampleRateHz = 8000;
const snrsDb = [20, 10, 5, 0] as const;
const filesPerList = 40;
/** Below this a recording's own noise would be a good part of what is added. */
const cleanSnrDb = 30;

/** How far the estimated signal-to-noise ratio is from the true one on real speech whose activity the detector had to find in the noise. */
export interface SnrError {
  readonly condition: string;
  readonly files: number;
  readonly medianErrorDb: number;
  /** 90 % of the files are within this, either way. */
  readonly within90Db: number;
}

/** Adds noise of known power to the speech of the cleaner dev files and asks what assessQuality makes of it. */
export async function benchSnr(speechDir: string, print: (line: string) => void = console.log): Promise<SnrError[]> {
  const { pool, detector } = await openEars(1);
  try {
    const random = seededRandom(11);
    const clean = [];
    for (const list of speakerLists) {
      for (const { samples } of await devFiles(speechDir, list, filesPerList)) {
        const activity = await detector.detect({ samples, sampleRateHz });
        const { snrDb } = assessQuality({ samples, sampleRateHz }, activity);
        if (snrDb !== null && snrDb >= cleanSnrDb) clean.push({ samples, spans: activity.spans });
      }
    }
    const voices = clean.map((file) => file.samples);
    const results: SnrError[] = [];
    for (const kind of noiseKinds) {
      for (const snrDb of snrsDb) {
        const errors: number[] = [];
        for (const { samples, spans } of clean) {
          const noisy = { samples: withNoise(samples, spans, kind, snrDb, voices, random), sampleRateHz };
          const found = assessQuality(noisy, await detector.detect(noisy)).snrDb;
          if (found !== null) errors.push(found - snrDb);
        }
        const medianErrorDb = quantile(errors, 0.5);
        const within90Db = quantile(errors.map(Math.abs), 0.9);
        results.push({ condition: `${kind} ${snrDb} dB`, files: errors.length, medianErrorDb, within90Db });
        print(
          `SNR of ${kind} noise at ${snrDb} dB, ${errors.length} of ${clean.length} files with a pause: ` +
            `median error ${medianErrorDb.toFixed(1)} dB, 90 % within ${within90Db.toFixed(1)} dB`,
        );
      }
    }
    return results;
  } finally {
    await pool.close();
  }
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(share * values.length)] ?? NaN;
