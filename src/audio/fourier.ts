/** Fast Fourier transform of one length, in place, on arrays of its own (Cooley and Tukey 1965, radix 2). */
export class FourierTransform {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
  /** Where each input belongs: `real[order[n]]` is the nth. */
  readonly order: Uint32Array;
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;

  /** @param size a power of two, at least 2 */
  constructor(readonly size: number) {
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    this.cosines = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sines = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.order = Uint32Array.from({ length: size }, (_, n) => {
      let index = 0;
      for (let bit = 1; bit < size; bit <<= 1) index = (index << 1) | ((n & bit) === 0 ? 0 : 1);
      return index;
    });
  }

  /** Transforms what lies in `real` and `imaginary`, put there by `order`; the bins come in their natural order. */
  transform(): void {
    const { size, real, imaginary, cosines, sines } = this;
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let block = 0; block < size; block += 2 * half) {
        for (let k = 0; k < half; k++) {
          const upper = block + k;
          const lower = upper + half;
          const c = cosines[k * stride] as number;
          const s = sines[k * stride] as number;
          const turnedReal = (real[lower] as number) * c - (imaginary[lower] as number) * s;
          const turnedImaginary = (real[lower] as number) * s + (imaginary[lower] as number) * c;
          real[lower] = (real[upper] as number) - turnedReal;
          imaginary[lower] = (imaginary[upper] as number) - turnedImaginary;
          real[upper] = (real[upper] as number) + turnedReal;
          imaginary[upper] = (imaginary[upper] as number) + turnedImaginary;
        }
      }
    }
  }
}
