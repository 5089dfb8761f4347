import type { LaneProgram, Lanes } from './lane-program.js';

/** A complex value of a lane program. */
export interface ComplexLanes {
  readonly re: Lanes;
  readonly im: Lanes;
}

/**
 * Discrete Fourier transform of real values by split radix (Duhamel and Hollmann, 1984): n values, n a power of two, give bins 0 to n/2.
 * The upper half is their mirror image and is never worked out. About 2 n log2(n) operations, fewer where inputs are the constant 0.
 * @throws RangeError for a length that is no power of two
 */
export function realFft(program: LaneProgram, values: readonly Lanes[]): ComplexLanes[] {
  const n = values.length;
  const zero = program.constant(0);
  const [a, b] = values;
  if (a === undefined || !Number.isInteger(Math.log2(n))) {
    throw new RangeError(`a Fourier transform of ${n} values: the length must be a power of two`);
  }
  if (b === undefined) return [{ re: a, im: zero }];
  if (n === 2) {
    return [
      { re: program.add(a, b), im: zero },
      { re: program.subtract(a, b), im: zero },
    ];
  }
  const every = (step: number, first: number): Lanes[] => values.filter((_, index) => index % step === first);
  const even = realFft(program, every(2, 0));
  const first = realFft(program, every(4, 1));
  const third = realFft(program, every(4, 3));

  const bins = new Array<ComplexLanes>(n / 2 + 1);
  for (let k = 0; k <= n / 8; k++) {
    const turned1 = rotate(program, bin(first, k), (-2 * Math.PI * k) / n);
    const turned3 = rotate(program, bin(third, k), (-2 * Math.PI * 3 * k) / n);
    const sum = { re: program.add(turned1.re, turned3.re), im: program.add(turned1.im, turned3.im) };
    const difference = { re: program.subtract(turned3.re, turned1.re), im: program.subtract(turned1.im, turned3.im) };
    const low = bin(even, k);
    bins[k] = { re: program.add(low.re, sum.re), im: program.add(low.im, sum.im) };
    bins[n / 2 - k] = { re: program.subtract(low.re, sum.re), im: program.subtract(sum.im, low.im) };
    // The even half at n/4 + k is the mirror image of the one at n/4 - k, and the odd halves' difference turns by a quarter.
    const high = bin(even, n / 4 - k);
    bins[n / 4 + k] = { re: program.add(high.re, difference.im), im: program.subtract(difference.re, high.im) };
    bins[n / 4 - k] = { re: program.subtract(high.re, difference.im), im: program.add(high.im, difference.re) };
  }
  return bins;
}

function bin(bins: readonly ComplexLanes[], index: number): ComplexLanes {
  const found = bins[index];
  if (found === undefined) throw new RangeError(`no bin ${index} among ${bins.length}`);
  return found;
}

/** value × e^(i·angle). */
function rotate(program: LaneProgram, value: ComplexLanes, angle: number): ComplexLanes {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  return {
    re: program.subtract(program.scale(value.re, cos), program.scale(value.im, sin)),
    im: program.add(program.scale(value.im, cos), program.scale(value.re, sin)),
  };
}
