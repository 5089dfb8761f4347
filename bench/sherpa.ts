import { createRequire } from 'node:module';

/** The part of sherpa-onnx-node's speaker interface used here; the package has no type declarations of its own. */
interface SherpaStream {
  acceptWaveform(audio: { sampleRate: number; samples: Float32Array }): void;
  inputFinished(): void;
}
interface SherpaExtractor {
  createStream(): SherpaStream;
  compute(stream: SherpaStream, enableExternalBuffer: boolean): Float32Array;
}
interface Sherpa {
  readonly SpeakerEmbeddingExtractor: new (config: {
    model: string;
    numThreads: number;
    debug: boolean;
  }) => SherpaExtractor;
}

const { SpeakerEmbeddingExtractor } = createRequire(import.meta.url)('sherpa-onnx-node') as Sherpa;

/**
 * An independent implementation of the whole path from samples to embedding, the peer for accuracy and speed: sherpa-onnx with its own front-end
 * and its own ONNX Runtime, one thread. The file's metadata tells it the front-end.
 */
export function sherpaEmbedder(onnxPath: string, sampleRateHz: number): (samples: Float32Array) => Float32Array {
  const extractor = new SpeakerEmbeddingExtractor({ model: onnxPath, numThreads: 1, debug: false });
  return (samples) => {
    const stream = extractor.createStream();
    stream.acceptWaveform({ sampleRate: sampleRateHz, samples });
    stream.inputFinished();
    return extractor.compute(stream, false);
  };
}
