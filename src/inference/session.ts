import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import './no-telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { VoicegateError } from '../errors.js';
import { createNetworkInput, type NetworkInput } from '../features/network-input.js';
import type { NetworkSpec, Piece } from './network.js';
import { checkTensors } from './tensor-check.js';

/** One network's answer and what it cost. */
export interface SessionAnswer {
  readonly values: Float32Array;
  readonly dims: readonly number[];
  readonly state: Float32Array | null;
  readonly featuresMs: number;
  readonly networkMs: number;
}

/** A network in this thread: front-end and ONNX session. `run` blocks the thread; one run at a time, they share memory. */
export interface NetworkSession {
  /** @param samples finite, mono, [-1, 1], at the front-end's rate. @throws VoicegateError `inference_failed` */
  run(samples: Float32Array, piece?: Piece | null): Promise<SessionAnswer>;
}

/**
 * One thread per session, so that a worker takes one core. Memory patterns plan a block for every input length met and keep it; without
 * them the arena stays as large as the longest input asks for (figures in this room's README, bench/arena.ts).
 */
const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // Errors come back as exceptions; ONNX Runtime need not print them as well.
  logSeverityLevel: 4,
  enableMemPattern: false,
};

/**
 * Loads a network, checking hash and tensors before it is trusted.
 * @throws VoicegateError `model_invalid`
 */
export async function openNetwork(spec: NetworkSpec): Promise<NetworkSession> {
  const bytes = await readModel(spec);
  const session = await InferenceSession.create(bytes, sessionOptions).catch((cause: unknown) => {
    throw new VoicegateError('model_invalid', `${spec.id}: ONNX Runtime cannot load ${basename(spec.onnxPath)}`, {
      hint: 'Is it an ONNX file of an operator set that this ONNX Runtime knows?',
      cause,
    });
  });
  checkTensors(spec, session.inputMetadata, session.outputMetadata);
  const makeInput = makeFrontEnd(spec);

  return {
    async run(samples, piece = null) {
      const startMs = performance.now();
      const input = makeInput(samples);
      if (input.frames === 0) {
        throw new VoicegateError('inference_failed', `${spec.id}: ${samples.length} samples are too few for one frame`);
      }
      const feeds = toFeeds(spec, input, piece);
      const networkStartMs = performance.now();
      const wanted = spec.memory === undefined ? [spec.outputName] : [spec.outputName, spec.memory.nextStateName];
      const results = await session.run(feeds, wanted).catch((cause: unknown) => {
        const shape = feeds[spec.input.name]?.dims.join(', ') ?? '';
        throw new VoicegateError('inference_failed', `${spec.id}: ONNX Runtime refused an input of [${shape}]`, {
          cause,
        });
      });
      const networkMs = performance.now() - networkStartMs;
      const output = results[spec.outputName];
      if (!(output?.data instanceof Float32Array)) {
        throw new VoicegateError('inference_failed', `${spec.id}: ${spec.outputName} holds no 32-bit floats`);
      }
      const next = spec.memory === undefined ? undefined : results[spec.memory.nextStateName]?.data;
      const state = next instanceof Float32Array ? next : null;
      return { values: output.data, dims: output.dims, state, featuresMs: networkStartMs - startMs, networkMs };
    },
  };
}

async function readModel(spec: NetworkSpec): Promise<Uint8Array> {
  const bytes = await readFile(spec.onnxPath).catch((cause: unknown) => {
    throw new VoicegateError('model_invalid', `${spec.id}: ${basename(spec.onnxPath)} cannot be read`, { cause });
  });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== spec.sha256) {
    throw new VoicegateError(
      'model_invalid',
      `${spec.id}: sha256 of ${basename(spec.onnxPath)} is ${found}, expected ${spec.sha256}`,
      {
        hint: 'The file is not the one the model card describes: copy it anew, or correct the card if the file is meant',
      },
    );
  }
  return bytes;
}

function makeFrontEnd(spec: NetworkSpec): (samples: Float32Array) => NetworkInput {
  try {
    return createNetworkInput(spec.frontEnd);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VoicegateError('model_invalid', `${spec.id}: front-end: ${reason}`, { cause });
  }
}

function toFeeds(spec: NetworkSpec, input: NetworkInput, piece: Piece | null): Record<string, Tensor> {
  const { values, frames, bins } = input;
  const { name, layout, lengthName } = spec.input;
  const feeds: Record<string, Tensor> = {};
  switch (layout) {
    case 'time-bins':
      feeds[name] = new Tensor('float32', values, [1, frames, bins]);
      break;
    case 'bins-time':
      feeds[name] = new Tensor('float32', transposed(values, frames, bins), [1, bins, frames]);
      break;
    case 'samples':
      feeds[name] = new Tensor('float32', values, [1, frames]);
      break;
  }
  if (lengthName !== null) feeds[lengthName] = new Tensor('int64', BigInt64Array.of(BigInt(input.validFrames)), [1]);
  if (spec.memory !== undefined) {
    const { stateName, spanName, size } = spec.memory;
    const { state, firstUnit, endUnit } = piece ?? { state: null, firstUnit: 0, endUnit: frames };
    feeds[stateName] = new Tensor('float32', state ?? new Float32Array(size), [1, 1, size]);
    feeds[spanName] = new Tensor('int64', BigInt64Array.of(BigInt(firstUnit), BigInt(endUnit)), [2]);
  }
  return feeds;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column] ?? 0;
  }
  return turned;
}
