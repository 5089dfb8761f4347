import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { FrontEnd, KaldiFbankFrontEnd, NemoMelFrontEnd } from '../../src/features/front-end.js';
import { createNetworkInput } from '../../src/features/network-input.js';
import { sweepsAndBursts } from '../../src/inference/golden-signal.js';
import { modelsDir, rootDir } from '../../src/paths.js';
import { goldenSignal } from './signal.js';

interface Golden<Options> {
  readonly options: Options;
  readonly frames: number;
  readonly rows: Readonly<Record<string, string>>;
}

const golden = JSON.parse(readFileSync(join(rootDir, 'test', 'features', 'golden.json'), 'utf8')) as {
  readonly kaldi: readonly Golden<Omit<KaldiFbankFrontEnd, 'kind' | 'energyFloor' | 'normalisation'>>[];
  readonly nemo: readonly Golden<Omit<NemoMelFrontEnd, 'kind' | 'window' | 'logOffset' | 'normalisation'>>[];
};

/**
 * The reference works in single precision as we do. A value deep below the loudest of its frame carries the rounding of the loud ones. Over all
 * frames of this signal kaldi-native-fbank is up to 2e-4 away from double precision, deep values up to 5e-4; in the rows picked 4e-5 and 1e-4.
 */
const deepNats = Math.log(10 ** 4);

/** Largest distances between the rows a front-end makes of the golden signal and those of the reference, down to 40 dB below the loudest and deeper. */
function distances(
  frontEnd: FrontEnd,
  rows: Readonly<Record<string, string>>,
): { frames: number; loud: number; deep: number } {
  const made = createNetworkInput(frontEnd)(goldenSignal(frontEnd.sampleRateHz));
  let loud = 0;
  let deep = 0;
  for (const [frame, text] of Object.entries(rows)) {
    const wanted = text.split(' ').map(Number);
    const loudest = Math.max(...wanted);
    wanted.forEach((value, bin) => {
      const distance = Math.abs(value - (made.values[Number(frame) * made.bins + bin] ?? NaN));
      if (value > loudest - deepNats) loud = Math.max(loud, distance);
      else deep = Math.max(deep, distance);
    });
  }
  return { frames: made.validFrames, loud, deep };
}

for (const { options, frames, rows } of golden.kaldi) {
  const { window, sampleRateHz, lowHz, highHz, snipEdges, melBins } = options;
  const title = `${window}, ${sampleRateHz} Hz, ${melBins} bins ${lowHz} to ${highHz} Hz, ${snipEdges ? 'whole frames only' : 'mirrored ends'}`;
  void t.test(`log-mel values are Kaldi's within 1e-4: ${title}`, (t) => {
    const found = distances({ kind: 'kaldi-fbank', energyFloor: 2 ** -23, normalisation: 'none', ...options }, rows);
    t.equal(found.frames, frames);
    t.ok(found.loud < 1e-4, `largest distance ${found.loud}`);
    t.ok(found.deep < 1e-3, `largest distance of deep values ${found.deep}`);
    t.end();
  });
}

for (const { options, frames, rows } of golden.nemo) {
  void t.test(
    `normalised log-mel values are NeMo's within 1e-4: ${options.melBins} bins at ${options.sampleRateHz} Hz`,
    (t) => {
      const found = distances(
        { kind: 'nemo-mel', window: 'hann', logOffset: 2 ** -24, normalisation: 'per-feature', ...options },
        rows,
      );
      t.equal(found.frames, frames);
      t.ok(Math.max(found.loud, found.deep) < 1e-4, `largest distances ${found.loud}, ${found.deep}`);
      t.end();
    },
  );
}

void t.test('the baseline model’s golden rows come out within 1e-4', (t) => {
  const dir = join(modelsDir, 'baseline-8k-80');
  const card = JSON.parse(readFileSync(join(dir, 'card.json'), 'utf8')) as { frontEnd: KaldiFbankFrontEnd };
  const model = JSON.parse(readFileSync(join(dir, 'golden.json'), 'utf8')) as Record<string, unknown>;
  const { values, frames } = createNetworkInput({ ...card.frontEnd, normalisation: 'none' })(sweepsAndBursts(8000));
  t.equal(frames, model.frames);
  for (const [name, frame] of [
    ['frame0', 0],
    ['frame100', 100],
    ['last', 199],
  ] as const) {
    const wanted = model[`logmel_before_mean_${name}`] as number[];
    const distance = Math.max(...wanted.map((value, bin) => Math.abs(value - (values[frame * 80 + bin] ?? NaN))));
    t.ok(distance < 1e-4, `${name}: largest distance ${distance}`);
  }
  t.end();
});
