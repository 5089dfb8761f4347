import { operatingPoints, type Trials } from '../scoring/error-rates.js';
import { probit } from './normal.js';

/** One curve of a detection error trade-off plot. */
export interface DetCurve {
  readonly name: string;
  readonly scores: Trials;
  /** The pooled curve is drawn thicker. */
  readonly isPooled: boolean;
  readonly eer: number;
  /** Points at thresholds of a policy, shares in [0, 1]. */
  readonly marks: readonly { readonly name: string; readonly fmr: number; readonly fnmr: number }[];
}

const size = 640;
const margin = 64;
const legendWidth = 250;
/** What the axes show, shares. */
const least = 0.0005;
const most = 0.6;
const ticks = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d1f', '#5e3c99', '#555555'];

/**
 * A detection error trade-off plot (Martin et al. 1997) as an SVG document: false matches to the right, false non-matches upwards, both on the
 * scale of the normal distribution's quantiles, where normal scores make straight lines. A dot marks the equal error rate, crosses the
 * thresholds of the policy. Rates beyond 0.05 % and 60 % lie on the border.
 */
export function detPlot(title: string, curves: readonly DetCurve[]): string {
  const height = Math.max(size + 2 * margin, margin + 22 * (curves.length + 4));
  const grid = ticks.flatMap((tick) => {
    const [x, y] = [across(tick), up(tick)];
    const label = `${Number((100 * tick).toPrecision(3))}`;
    return [
      `<path d="M${x} ${margin}V${margin + size}M${margin} ${y}H${margin + size}" stroke="#ddd"/>`,
      `<text x="${x}" y="${margin + size + 18}" text-anchor="middle">${label}</text>`,
      `<text x="${margin - 8}" y="${y + 4}" text-anchor="end">${label}</text>`,
    ];
  });
  const drawn = curves.map((curve, at) => curveSvg(curve, colours[at % colours.length] as string));
  const legend = curves.map(({ name, eer, isPooled }, at) => {
    const y = margin + 22 * (at + 1);
    const x = size + margin + 24;
    const colour = colours[at % colours.length];
    return (
      `<path d="M${x} ${y - 4}h24" stroke="${colour}" stroke-width="${isPooled ? 4 : 2}"/>` +
      `<text x="${x + 32}" y="${y}">${escaped(name)}, EER ${(100 * eer).toFixed(2)} %</text>`
    );
  });
  const middle = margin + size / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size + 2 * margin + legendWidth}" height="${height}" font-family="sans-serif" font-size="13" fill="#222">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${margin}" y="30" font-size="16">${escaped(title)}</text>`,
    ...grid,
    `<path d="M${across(least)} ${up(least)}L${across(most)} ${up(most)}" stroke="#bbb" stroke-dasharray="4 4"/>`,
    `<rect x="${margin}" y="${margin}" width="${size}" height="${size}" fill="none" stroke="#222"/>`,
    `<text x="${middle}" y="${margin + size + 44}" text-anchor="middle">false matches (FMR), %</text>`,
    `<text transform="translate(20 ${middle}) rotate(-90)" text-anchor="middle">false non-matches (FNMR), %</text>`,
    ...drawn,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

function curveSvg({ scores, isPooled, eer, marks }: DetCurve, colour: string): string {
  let path = '';
  let before = '';
  for (const { fmr, fnmr } of operatingPoints(scores)) {
    const point = `${across(fmr)} ${up(fnmr)}`;
    if (point !== before) path += `${path === '' ? 'M' : 'L'}${point}`;
    before = point;
  }
  const crosses = marks.map(
    ({ name, fmr, fnmr }) =>
      `<path d="M${across(fmr) - 5} ${up(fnmr) - 5}l10 10m-10 0l10 -10" stroke="${colour}" stroke-width="2"><title>${escaped(name)}</title></path>` +
      (isPooled ? `<text x="${across(fmr) + 8}" y="${up(fnmr) - 6}">${escaped(name)}</text>` : ''),
  );
  return (
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${isPooled ? 3 : 1.5}"/>` +
    `<circle cx="${across(eer)}" cy="${up(eer)}" r="${isPooled ? 5 : 4}" fill="${colour}"/>${crosses.join('')}`
  );
}

const held = (share: number): number => Math.min(most, Math.max(least, share));
const along = (share: number): number => (probit(held(share)) - probit(least)) / (probit(most) - probit(least));
const rounded = (value: number): number => Math.round(10 * value) / 10;
const across = (fmr: number): number => rounded(margin + size * along(fmr));
const up = (fnmr: number): number => rounded(margin + size * (1 - along(fnmr)));

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
