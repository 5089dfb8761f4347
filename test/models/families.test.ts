import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createNetworkInput } from '../../src/features/network-input.js';
import { familyIds, usualFrontEnd } from '../../src/models/families.js';
import { rootDir } from '../../src/paths.js';
import { goldenSignal } from '../features/signal.js';

/** Frames after their normalisation, by kaldi-native-fbank and librosa: `origin` and make_golden.py beside the file say how. */
const { families: golden } = JSON.parse(readFileSync(join(rootDir, 'test', 'features', 'golden.json'), 'utf8')) as {
  readonly families: Readonly<Record<string, { readonly frames: number; readonly rows: Readonly<Record<string, string>> }>>;
};

for (const family of ['wespeaker', '3d-speaker', 'nemo'] as const) {
  void t.test(`what a network of the family ${family} is fed is the reference’s within 1e-3`, async (t) => {
    const made = createNetworkInput(usualFrontEnd(family))(goldenSignal(16_000));
    t.equal(made.validFrames, golden[family]?.frames);
    t.equal(made.bins, 80);
    let largest = 0;
    for (const [frame, text] of Object.entries(golden[family]?.rows ?? {})) {
      text.split(' ').forEach((wanted, bin) => {
        const value = made.values[Number(frame) * made.bins + bin] ?? NaN;
        largest = Math.max(largest, Math.abs(value - Number(wanted)));
      });
    }
    t.comment(`largest distance ${largest}`);
    t.ok(largest < 1e-3, `largest distance ${largest}`);
  });
}

void t.test('the families differ by more than the tolerance, so that one cannot pass for another', async (t) => {
  const signal = goldenSignal(16_000);
  const frames = (['wespeaker', '3d-speaker', 'nemo'] as const).map((family) =>
    createNetworkInput(usualFrontEnd(family))(signal).values.slice(0, 40 * 80),
  );
  for (const [one, other] of [[0, 1], [0, 2], [1, 2]] as const) {
    const largest = frames[one]?.reduce((far, value, at) => Math.max(far, Math.abs(value - (frames[other]?.[at] ?? 0))), 0);
    t.ok((largest ?? 0) > 0.1, `${one} and ${other}: ${largest}`);
  }
});

void t.test('a waveform network is fed the samples as they are', async (t) => {
  const signal = goldenSignal(16_000);
  const { values, frames } = createNetworkInput(usualFrontEnd('waveform'))(signal);
  t.equal(frames, signal.length);
  t.same(values, signal);
});

void t.test('every family has a front-end at 16 kHz', async (t) => {
  for (const family of familyIds) t.equal(usualFrontEnd(family).sampleRateHz, 16_000, family);
});
