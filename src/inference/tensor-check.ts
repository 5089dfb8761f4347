import type { InferenceSession } from 'onnxruntime-node';
import { VoicegateError } from '../errors.js';
import type { NetworkSpec } from './network.js';

type Tensors = readonly InferenceSession.ValueMetadata[];

/**
 * Compares the tensors a network is said to have with those in its file: names, kind of number, number of axes, bins.
 * @throws VoicegateError `model_invalid`, listing what the file has
 */
export function checkTensors(spec: NetworkSpec, inputs: Tensors, outputs: Tensors): void {
  const refuse = (message: string): never => {
    throw new VoicegateError('model_invalid', `${spec.id}: ${message}`, {
      hint: `The file has inputs ${listed(inputs)} and outputs ${listed(outputs)}: the model card must name these`,
    });
  };
  const { name, layout, lengthName } = spec.input;
  const input = inputs.find((tensor) => tensor.name === name);
  if (input === undefined) return refuse(`it has no input named ${name}; its inputs are ${listed(inputs)}`);
  if (!outputs.some((tensor) => tensor.name === spec.outputName)) {
    return refuse(`it has no output named ${spec.outputName}; its outputs are ${listed(outputs)}`);
  }
  if (lengthName !== null && !inputs.some((tensor) => tensor.name === lengthName)) {
    return refuse(`it has no length input named ${lengthName}; its inputs are ${listed(inputs)}`);
  }
  const { memory } = spec;
  const fed = [name, lengthName, ...(memory === undefined ? [] : [memory.stateName, memory.spanName])];
  if (memory !== undefined && !outputs.some((tensor) => tensor.name === memory.nextStateName)) {
    return refuse(`it has no output named ${memory.nextStateName}; its outputs are ${listed(outputs)}`);
  }
  const unfed = inputs.filter((tensor) => !fed.includes(tensor.name));
  if (unfed.length > 0) return refuse(`nothing is said about its input ${listed(unfed)}`);

  if (!input.isTensor || input.type !== 'float32') return refuse(`its input ${name} does not take 32-bit floats`);
  const bins = spec.frontEnd.kind === 'waveform' ? null : spec.frontEnd.melBins;
  const wanted = layout === 'samples' ? [1, 'N'] : layout === 'time-bins' ? [1, 'T', bins ?? 0] : [1, bins ?? 0, 'T'];
  // A file may leave the shape out: then only the warm-up run tells.
  if (input.shape.length === 0) return;
  const fits = input.shape.length === wanted.length && input.shape.every((size, axis) => fitsAxis(size, wanted[axis]));
  if (!fits) refuse(`its input ${name} is [${input.shape.join(', ')}], the front-end makes [${wanted.join(', ')}]`);
}

/** A named axis of the file takes any size; a numbered one only its own; an axis that varies here must be free there. */
function fitsAxis(inFile: number | string, made: number | string | undefined): boolean {
  return typeof inFile === 'string' || inFile === made;
}

function listed(tensors: Tensors): string {
  return tensors
    .map((tensor) => (tensor.isTensor ? `${tensor.name} [${tensor.shape.join(', ')}]` : tensor.name))
    .join(', ');
}
