import type { CohortModel } from '../../src/scoring/cohort.js';
import { unit } from '../../src/scoring/cosine.js';
import type { HeardCall } from '../../src/tuning/own-voices.js';
import { seeded } from '../scoring/seeded-scores.js';

/** A model that never was. */
export const model: CohortModel = { id: 'some-model', sha256: 'a'.repeat(64), dimension: 24 };

/** Draws voices whose calls share a direction: the line they all come over. */
export class VoiceMaker {
  private readonly random: () => number;

  /** @param shared how long the common part is beside a voice's own of length 1 */
  constructor(
    seed: number,
    private readonly shared: number,
  ) {
    this.random = seeded(seed);
  }

  /** So many calls of each of so many callers. */
  calls(callers: number, each: number, named: boolean, first = 0): HeardCall[] {
    const calls: HeardCall[] = [];
    for (let caller = 0; caller < callers; caller++) {
      const voice = this.direction();
      for (let call = 0; call < each; call++) {
        const noise = this.direction();
        const vector = unit(voice.map((value, i) => value + 0.8 * (noise[i] as number) + (i === 0 ? this.shared : 0)));
        calls.push({
          vector,
          netSpeechSeconds: 2 + 4 * this.random(),
          snrDb: 20,
          id: `${first + caller}-${call}`,
          speaker: named ? `caller ${first + caller}` : null,
        });
      }
    }
    return calls;
  }

  private direction(): Float32Array {
    const normal = (): number => Math.sqrt(-2 * Math.log(this.random())) * Math.cos(2 * Math.PI * this.random());
    return unit(Float64Array.from({ length: model.dimension }, normal));
  }
}
