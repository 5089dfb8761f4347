import t from 'tap';
import { detPlot } from '../../src/tuning/det.js';
import { normalScores } from '../scoring/seeded-scores.js';

/** Corners of a curve's path. */
const pointsOf = (svg: string): number[][] =>
  [.../<path d="M([^"]*)" fill="none" stroke="#0072b2"/.exec(svg)![1]!.split('L')].map((point) =>
    point.split(' ').map(Number),
  );

void t.test('normal scores make a straight line of slope one on the probit axes', async (t) => {
  const scores = normalScores(20_000, 3);
  const points = pointsOf(detPlot('x', [{ name: 'a', scores, isPooled: false, eer: 0.0668, marks: [] }]));
  // Within the middle of the plot, away from the border and from the steps of the last few trials.
  const middle = points.filter(([x, y]) => x! > 150 && x! < 600 && y! > 150 && y! < 600);
  t.ok(middle.length > 100);
  const across = middle.map(([x, y]) => x! + (768 - y!));
  t.ok(
    Math.max(...across) - Math.min(...across) < 40,
    `x and y add up to the same: ${Math.min(...across)} to ${Math.max(...across)}`,
  );
});

void t.test('names are written as text, whatever they hold', async (t) => {
  const curve = {
    scores: normalScores(10, 1),
    isPooled: true,
    eer: 0.3,
    marks: [{ name: '"low"', fmr: 0.1, fnmr: 0.1 }],
  };
  const svg = detPlot('<script>', [{ name: 'a & b', ...curve }]);
  t.notMatch(svg, /<script>/);
  t.match(svg, /a &#38; b, EER 30\.00 %/);
  t.match(svg, /&#34;low&#34;/);
});
