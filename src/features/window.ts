import type { KaldiFbankFrontEnd } from './front-end.js';

/**
 * Symmetric analysis window of `length` samples: hann 0.5 − 0.5 cos(2πn/(N−1)), hamming 0.54 − 0.46 cos(2πn/(N−1)), povey = hann^0.85 (Kaldi).
 */
export function analysisWindow(kind: KaldiFbankFrontEnd['window'], length: number): Float64Array {
  return Float64Array.from({ length }, (_, index) => {
    const cosine = Math.cos((2 * Math.PI * index) / (length - 1));
    switch (kind) {
      case 'povey':
        return (0.5 - 0.5 * cosine) ** 0.85;
      case 'hann':
        return 0.5 - 0.5 * cosine;
      case 'hamming':
        return 0.54 - 0.46 * cosine;
      case 'rectangular':
        return 1;
    }
  });
}
