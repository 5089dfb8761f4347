/**
 * The signal that every model's golden embedding is made of: 2 s of two crossing frequency sweeps with 3 kHz bursts, on the int16 grid so that
 * any language computes the same samples:
 * x(t) = round(6000 sin 2π(200 t + 150 t²) + 4000 sin 2π(1500 t − 200 t²) + 2000 sin 2π·3000 t [in the first half of each 0.2 s]) / 32768.
 * @returns mono samples in [-1, 1]
 */
export function sweepsAndBursts(sampleRateHz: number): Float32Array {
  const burstPeriodSamples = Math.round(0.2 * sampleRateHz);
  return Float32Array.from({ length: 2 * sampleRateHz }, (_, index) => {
    const t = index / sampleRateHz;
    const rising = 6000 * Math.sin(2 * Math.PI * (200 * t + 150 * t * t));
    const falling = 4000 * Math.sin(2 * Math.PI * (1500 * t - 200 * t * t));
    const inBurst = index % burstPeriodSamples < burstPeriodSamples / 2;
    const burst = inBurst ? 2000 * Math.sin(2 * Math.PI * 3000 * t) : 0;
    return Math.round(rising + falling + burst) / 32768;
  });
}
