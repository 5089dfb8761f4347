import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import './no-telemetry.js';
import { InferenceSession } from 'onnxruntime-node';
import { VoicegateError } from '../errors.js';
import { onnxMetadata } from './onnx-metadata.js';

/** A tensor that an ONNX file takes or gives. */
export interface TensorDescription {
  readonly name: string;
  /** ONNX Runtime's name of the kind of number, e.g. float32; empty for what is no tensor. */
  readonly type: string;
  /** A number is a fixed size, a text (maybe empty) a free one. Empty where the file does not say. */
  readonly shape: readonly (number | string)[];
}

/** What an ONNX file says of itself. */
export interface NetworkDescription {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** Custom metadata, e.g. that which sherpa-onnx reads. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Loads an ONNX file once, in this thread, to see what it takes and gives. For commands; the service learns it from cards.
 * @throws VoicegateError `model_invalid` when the file cannot be read or ONNX Runtime does not take it
 */
export async function describeNetwork(onnxPath: string): Promise<NetworkDescription> {
  const name = basename(onnxPath);
  const bytes = await readFile(onnxPath).catch((cause: unknown) => {
    throw new VoicegateError('model_invalid', `${name} cannot be read`, { cause });
  });
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 }).catch(
    (cause: unknown) => {
      throw new VoicegateError('model_invalid', `ONNX Runtime cannot load ${name}`, {
        hint: 'Is it a whole ONNX file, with its weights inside, of an operator set that this ONNX Runtime knows?',
        cause,
      });
    },
  );
  const described = (tensors: readonly InferenceSession.ValueMetadata[]): TensorDescription[] =>
    tensors.map((tensor) =>
      tensor.isTensor
        ? { name: tensor.name, type: tensor.type, shape: tensor.shape }
        : { name: tensor.name, type: '', shape: [] },
    );
  const description = {
    inputs: described(session.inputMetadata),
    outputs: described(session.outputMetadata),
    metadata: onnxMetadata(bytes),
  };
  await session.release();
  return description;
}
