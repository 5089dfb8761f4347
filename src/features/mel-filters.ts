/** One triangle over the bins of a power spectrum; zero outside. */
export interface MelFilter {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

export interface MelFilterOptions {
  readonly sampleRateHz: number;
  readonly fftSize: number;
  readonly melBins: number;
  readonly lowHz: number;
  /** 0 or negative counts from half the sample rate. */
  readonly highHz: number;
}

/**
 * Kaldi's triangles: equally wide and straight-sided on the scale mel = 1127 ln(1 + f/700), height 1, the bin of half the sample rate left out.
 * @throws RangeError where a triangle is so narrow that no bin lies in it, or the edges are out of order
 */
export function kaldiMelFilters(options: MelFilterOptions): MelFilter[] {
  const mel = (hz: number): number => 1127 * Math.log(1 + hz / 700);
  const edges = melEdges(options, mel);
  const binMels = Array.from({ length: options.fftSize / 2 }, (_, bin) =>
    mel((bin * options.sampleRateHz) / options.fftSize),
  );
  return triangles(edges, binMels, () => 1);
}

/**
 * Librosa's triangles as NeMo uses them (Slaney's Auditory Toolbox scale: 200/3 Hz a mel to 1 kHz, above it 27 mels for each factor 6.4), straight-sided
 * in Hz, each of area 1.
 * @throws RangeError where a triangle is so narrow that no bin lies in it, or the edges are out of order
 */
export function slaneyMelFilters(options: MelFilterOptions): MelFilter[] {
  const edges = melEdges(options, slaneyMel).map(slaneyHz);
  const binHz = Array.from(
    { length: options.fftSize / 2 + 1 },
    (_, bin) => (bin * options.sampleRateHz) / options.fftSize,
  );
  return triangles(edges, binHz, (left, right) => 2 / (right - left));
}

const slaneyHzPerMel = 200 / 3;
const slaneyBreakHz = 1000;
const slaneyBreakMel = slaneyBreakHz / slaneyHzPerMel;
const slaneyLogStep = Math.log(6.4) / 27;

function slaneyMel(hz: number): number {
  return hz < slaneyBreakHz ? hz / slaneyHzPerMel : slaneyBreakMel + Math.log(hz / slaneyBreakHz) / slaneyLogStep;
}

function slaneyHz(mel: number): number {
  return mel < slaneyBreakMel ? mel * slaneyHzPerMel : slaneyBreakHz * Math.exp((mel - slaneyBreakMel) * slaneyLogStep);
}

/** The melBins + 2 equidistant points where triangles begin, peak and end. */
function melEdges(options: MelFilterOptions, mel: (hz: number) => number): number[] {
  const nyquistHz = options.sampleRateHz / 2;
  const highHz = options.highHz > 0 ? options.highHz : nyquistHz + options.highHz;
  if (!(options.lowHz >= 0 && options.lowHz < highHz && highHz <= nyquistHz)) {
    throw new RangeError(`mel filters from ${options.lowHz} to ${highHz} Hz: must rise, within 0 and ${nyquistHz} Hz`);
  }
  const low = mel(options.lowHz);
  const step = (mel(highHz) - low) / (options.melBins + 1);
  return Array.from({ length: options.melBins + 2 }, (_, index) => low + index * step);
}

function triangles(
  edges: readonly number[],
  bins: readonly number[],
  height: (left: number, right: number) => number,
): MelFilter[] {
  return edges.slice(0, -2).map((left, index) => {
    const centre = edges[index + 1] ?? left;
    const right = edges[index + 2] ?? left;
    const inside = (position: number): boolean => position > left && position < right;
    const firstBin = bins.findIndex(inside);
    if (firstBin < 0)
      throw new RangeError(
        `mel filter ${index} holds no bin of the spectrum: fewer mel bins or a longer transform are needed`,
      );
    const within = bins.slice(firstBin).filter(inside);
    const weights = within.map(
      (at) => Math.min((at - left) / (centre - left), (right - at) / (right - centre)) * height(left, right),
    );
    return { firstBin, weights: Float64Array.from(weights) };
  });
}
