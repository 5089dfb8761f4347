/**
 * Numbers as IEEE 754 half floats, rounded to the nearest (ties to even). Node 20 has no array of them.
 * @returns the 16 bits of each; what is beyond 65504 becomes an infinity
 */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word) => {
    const sign = (word >>> 16) & 0x8000;
    const exponent = ((word >>> 23) & 0xff) - 112;
    const mantissa = word & 0x7fffff;
    if (exponent >= 31) return sign | 0x7c00 | (((word >>> 23) & 0xff) === 0xff && mantissa > 0 ? 0x200 : 0);
    if (exponent > 0) return sign | roundedShift((exponent << 23) | mantissa, 13);
    return exponent < -10 ? sign : sign | roundedShift(mantissa | 0x800000, 14 - exponent);
  });
}

/** The numbers that half floats stand for, exactly. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 31;
    const mantissa = half & 0x3ff;
    if (exponent === 0) return sign * mantissa * 2 ** -24;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
    return sign * (1024 + mantissa) * 2 ** (exponent - 25);
  });
}

/** value / 2^shift, to the nearest whole number, ties to even. */
function roundedShift(value: number, shift: number): number {
  const half = 2 ** (shift - 1);
  const whole = value >>> shift;
  const rest = value & (2 ** shift - 1);
  return whole + (rest > half || (rest === half && (whole & 1) === 1) ? 1 : 0);
}
