import { LaneProgram, type Lanes } from './lane-program.js';
import type { MelFilter } from './mel-filters.js';
import { realFft } from './real-fft.js';

/** One frame's formula, the same for every family: what differs between them is these numbers. */
export interface LogMelFormula {
  /** Samples are multiplied by this. */
  readonly sampleScale: number;
  /** Subtract the frame's mean. */
  readonly removeDcOffset: boolean;
  /** Within the frame, its first sample its own predecessor; 0 for none. */
  readonly framePreEmphasis: number;
  /** One weight per sample of the frame. */
  readonly window: Float64Array;
  /** A power of two, at least the window's length: the frame is filled up with zeros. */
  readonly fftSize: number;
  /** Weights over the power spectrum. */
  readonly filters: readonly MelFilter[];
  /** ln(max(energy, floor) + offset) */
  readonly energyFloor: number;
  readonly energyOffset: number;
}

/** The part of the formula that works on frames: samples in, one energy per filter out. */
export function melEnergyProgram(formula: LogMelFormula): LaneProgram {
  const program = new LaneProgram();
  const spectrum = realFft(program, paddedFrame(program, formula));
  const power = spectrum.map(({ re, im }) => program.add(program.multiply(re, re), program.multiply(im, im)));
  const energies = formula.filters.map(({ firstBin, weights }) => {
    const terms = Array.from(weights, (weight, index) =>
      program.scale(power[firstBin + index] ?? program.constant(0), weight),
    );
    return program.sum(terms);
  });
  program.storeAcross(energies);
  return program;
}

/** The part that works on each energy: floor, offset, logarithm. */
export function logarithmProgram(formula: LogMelFormula): LaneProgram {
  const program = new LaneProgram();
  const energy = program.load(0, 0);
  const floored = program.apply('larger', energy, program.constant(formula.energyFloor));
  program.store(naturalLogarithm(program, program.add(floored, program.constant(formula.energyOffset))), 0, 0);
  return program;
}

function paddedFrame(program: LaneProgram, formula: LogMelFormula): Lanes[] {
  const samples = Array.from(formula.window, (_, index) => program.across(index));
  const mean = program.scale(program.sum(samples), 1 / samples.length);
  const centred = formula.removeDcOffset ? samples.map((sample) => program.subtract(sample, mean)) : samples;
  const windowed = centred.map((value, index) => {
    const before = centred[Math.max(index - 1, 0)] ?? value;
    const emphasised = program.subtract(value, program.scale(before, formula.framePreEmphasis));
    return program.scale(emphasised, (formula.window[index] ?? 0) * formula.sampleScale);
  });
  return Array.from({ length: formula.fftSize }, (_, index) => windowed[index] ?? program.constant(0));
}

/**
 * ln of a positive normal float. The bits split it into 2^k × m with m in [1/√2, √2); then ln m = 2 artanh(s), s = (m − 1)/(m + 1), |s| < 0.172,
 * whose series after s^7/7 leaves out less than 3e-8.
 */
function naturalLogarithm(program: LaneProgram, value: Lanes): Lanes {
  const halfRoot = program.constant(Math.SQRT1_2);
  const fromHalfRoot = program.apply('subtractInteger', value, halfRoot);
  const exponentBits = program.apply('and', fromHalfRoot, program.bits(0xff800000 | 0));
  const exponent = program.apply('integerToFloat', program.shiftRight(exponentBits, 23));
  const mantissa = program.apply('subtractInteger', value, exponentBits);
  const one = program.constant(1);
  const s = program.apply('divide', program.subtract(mantissa, one), program.add(mantissa, one));
  const square = program.multiply(s, s);
  let series = program.constant(2 / 7);
  for (const term of [5, 3, 1]) series = program.add(program.multiply(series, square), program.constant(2 / term));
  return program.add(program.multiply(s, series), program.scale(exponent, Math.LN2));
}
