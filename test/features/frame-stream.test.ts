import t from 'tap';
import type { KaldiFbankFrontEnd, NemoMelFrontEnd } from '../../src/features/front-end.js';
import { createLogMel } from '../../src/features/log-mel.js';
import { goldenSignal, numbers } from './signal.js';

const kaldi: KaldiFbankFrontEnd = {
  kind: 'kaldi-fbank',
  sampleRateHz: 8000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  window: 'povey',
  preEmphasis: 0.97,
  removeDcOffset: true,
  snipEdges: false,
  melBins: 40,
  lowHz: 20,
  highHz: 3600,
  sampleScale: 1,
  energyFloor: 2 ** -23,
  normalisation: 'none',
};
const nemo: NemoMelFrontEnd = {
  kind: 'nemo-mel',
  sampleRateHz: 8000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  window: 'hann',
  fftSize: 256,
  preEmphasis: 0.97,
  melBins: 32,
  lowHz: 50,
  highHz: 4000,
  logOffset: 2 ** -24,
  padFramesTo: 16,
  normalisation: 'none',
};
const families = [
  { title: 'Kaldi with mirrored ends', logMel: createLogMel(kaldi) },
  { title: 'Kaldi with whole frames only', logMel: createLogMel({ ...kaldi, snipEdges: true }) },
  { title: 'NeMo', logMel: createLogMel(nemo) },
];

for (const { title, logMel } of families) {
  void t.test(`${title}: a signal cut anyhow gives the rows of one whole call to the last bit`, (t) => {
    const signal = goldenSignal(8000, 1.3);
    for (let round = 0; round < 40; round++) {
      const next = numbers(round);
      const samples = signal.subarray(0, round < 20 ? signal.length : next() % 700);
      const whole = logMel.compute(samples);
      const stream = logMel.stream();
      const rows: number[] = [];
      for (let start = 0; start < samples.length;) {
        const length = next() % (round % 2 === 0 ? 37 : 1500);
        stream.accept(samples.subarray(start, start + length));
        start += length;
        if (next() % 3 > 0) rows.push(...stream.read());
      }
      stream.finish();
      rows.push(...stream.read());
      t.same(Float32Array.from(rows), whole, `round ${round}, ${samples.length} samples`);
      t.equal(stream.read().length, 0);
    }
    t.end();
  });

  void t.test(`${title}: rows come as soon as their samples are known`, (t) => {
    const stream = logMel.stream();
    stream.accept(goldenSignal(8000, 0.5));
    const early = stream.read().length / logMel.melBins;
    stream.finish();
    const late = stream.read().length / logMel.melBins;
    t.ok(early >= 47, `${early} rows of half a second before its end`);
    t.equal(early + late, logMel.framing.framesOf(4000));
    t.throws(() => stream.accept(new Float32Array(1)), { message: /after finish/ });
    t.end();
  });

  void t.test(`${title}: a signal without samples has no frames`, (t) => {
    t.equal(logMel.compute(new Float32Array(0)).length, 0);
    t.end();
  });
}

void t.test('a row does not depend on the frames worked out beside it', (t) => {
  const logMel = createLogMel({ ...kaldi, snipEdges: true });
  const signal = goldenSignal(8000, 0.3);
  const all = logMel.compute(signal);
  for (const frame of [0, 1, 2, 3, 7, 20]) {
    const alone = logMel.compute(signal.subarray(frame * 80, frame * 80 + 200));
    t.same(alone, all.slice(frame * 40, (frame + 1) * 40), `frame ${frame}`);
  }
  t.end();
});
