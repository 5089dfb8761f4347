import t from 'tap';
import { bestDigits, logAdd, logProbability } from '../../src/challenge/ctc.js';
import { collapse, digitGrammar, fromFrame } from '../../src/challenge/digit-posteriors.js';
import { digitSpans } from '../../src/challenge/digit-spans.js';
import { digitsGolden, posteriorsOf } from './digits-golden.js';
import { drawnPosteriors, seededRandom } from './posteriors.js';

const grid = { frameSamples: 240, firstFrameCentreSample: 40 };

void t.test('probabilities, digits and spans are those of the Python reference', async (t) => {
  for (const { logs, heard, spans, strings } of digitsGolden().matrices) {
    const posteriors = posteriorsOf(logs);
    t.equal(bestDigits(posteriors), heard);
    for (const [digits, wanted] of strings) {
      const found = logProbability(posteriors, digits);
      if (wanted === null) t.equal(found, -Infinity, `${digits} does not fit into ${posteriors.frames} frames`);
      // The reference's rows are rounded to five digits: their sums are not quite 1.
      else t.ok(Math.abs(found - Math.min(0, wanted)) < 1e-5, `${digits}: ${found} for ${wanted}`);
    }
    const found = digitSpans(posteriors, heard, grid, 1e9);
    t.same(
      found.map(({ startSample, endSample }) => [startSample, endSample]),
      spans.map(([startSample, endSample]) => [startSample, endSample]),
    );
    t.ok(found.every(({ confidence }, index) => Math.abs(confidence - (spans[index]?.[2] ?? NaN)) < 1e-5));
  }
});

void t.test('the probabilities of all strings that fit sum to 1', async (t) => {
  const posteriors = drawnPosteriors(seededRandom(5), 3, 1);
  let sum = -Infinity;
  for (let length = 0; length <= 3; length++) {
    for (let number = 0; number < 10 ** length; number++) {
      const digits = length === 0 ? '' : String(number).padStart(length, '0');
      sum = logAdd(sum, logProbability(posteriors, digits));
    }
  }
  t.ok(Math.abs(sum) < 1e-9, `log of the sum: ${sum}`);
});

void t.test('a repeated digit needs a gap between', async (t) => {
  const certain = (columns: readonly number[]) =>
    posteriorsOf(columns.flatMap((column) => Array.from({ length: 11 }, (_, at) => (at === column ? 0 : -Infinity))));
  t.equal(bestDigits(certain([0, 8, 8, 8, 0])), '7');
  t.equal(bestDigits(certain([0, 8, 0, 8, 0])), '77');
  t.equal(logProbability(certain([0, 8, 0, 8, 0]), '77'), 0);
  t.equal(logProbability(certain([0, 8, 8, 8, 0]), '77'), -Infinity);
});

void t.test('over drawn posteriors, flat to certain, nothing is ever NaN or above 0', async (t) => {
  const random = seededRandom(9);
  for (let round = 0; round < 300; round++) {
    const frames = Math.floor(random() * 60);
    const posteriors = drawnPosteriors(random, frames, 40 * random() ** 3);
    const best = bestDigits(posteriors);
    const drawn = Array.from({ length: Math.floor(random() * 12) }, () => Math.floor(random() * 10)).join('');
    for (const digits of [best, drawn]) {
      const llr = logProbability(posteriors, digits);
      if (!(llr <= 0)) t.fail(`${digits} in ${frames} frames: ${llr}`);
      const spans = digitSpans(posteriors, digits, grid, frames * 240);
      const inOrder = spans.every(
        ({ startSample, endSample, confidence }, index) =>
          startSample <= endSample &&
          startSample >= (spans[index - 1]?.endSample ?? 0) &&
          endSample <= frames * 240 &&
          confidence >= 0 &&
          confidence <= 1,
      );
      if (!inOrder || ![0, digits.length].includes(spans.length))
        t.fail(`spans of ${digits}: ${JSON.stringify(spans)}`);
    }
    const before = fromFrame(posteriors, Math.floor(random() * (frames + 2)));
    if (Number.isNaN(logProbability(before, drawn))) t.fail('a part gives NaN');
  }
  t.pass();
});

void t.test('units collapse to digits: pronunciations added, other languages left out, rows sum to 1', async (t) => {
  const units = ['<b>', ...'0123456789'.split('').map((d) => `zh:d${d}`), 'zh:yao', 'zh:ma', 'en:one'];
  const grammar = digitGrammar(units, {
    status: 'experimental',
    unitPrefix: 'zh:',
    digitUnits: Array.from({ length: 10 }, (_, d) => (d === 1 ? ['zh:d1', 'zh:yao'] : [`zh:d${d}`])),
    temperature: 1,
    floor: 1e-10,
    blankWeight: Math.log(0.5),
    fillerWeight: Math.log(0.1),
    matchLlr: -10,
    nearMissLlr: -10,
    rivalMargin: 6,
    calibration: { scale: 1, offset: 0, leastLlr: -5, mostLlr: 5, fittedOn: 'nothing' },
  });
  const row = (parts: Record<string, number>) => Float32Array.from(units, (unit) => Math.log(parts[unit] ?? 0)); // log 0 is −Infinity: as a network may give it
  const { frames, probabilities } = collapse(
    Float32Array.from([
      ...row({ '<b>': 0.4, 'zh:d1': 0.1, 'zh:yao': 0.2, 'zh:ma': 0.1, 'en:one': 0.2 }),
      ...row({ 'en:one': 1 }),
    ]),
    grammar,
  );
  t.equal(frames, 2);
  const p = Array.from(probabilities);
  // gap 0.4 · 0.5 + 0.1 · 0.1 = 0.21, one 0.3, together 0.51
  t.ok(Math.abs((p[0] ?? NaN) - 0.21 / 0.51) < 1e-6);
  t.ok(Math.abs((p[2] ?? NaN) - 0.3 / 0.51) < 1e-6);
  t.ok(Math.abs((p[11] ?? NaN) - 1 / 11) < 1e-9, 'a frame that is all of the other language says nothing');
  for (const start of [0, 11]) t.ok(Math.abs(p.slice(start, start + 11).reduce((a, b) => a + b) - 1) < 1e-12);
  const broken = row({ '<b>': 1 });
  broken[3] = NaN;
  t.throws(() => collapse(broken, grammar), { code: 'inference_failed' });
  broken[3] = 1e9;
  t.throws(() => collapse(broken, grammar), { code: 'inference_failed' });
});
