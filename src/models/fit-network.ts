import { VoicegateError } from '../errors.js';
import type { FrontEnd } from '../features/front-end.js';
import type { NetworkDescription, TensorDescription } from '../inference/describe-network.js';
import type { NetworkSpec } from '../inference/network.js';
import { families, familyIds, type FamilyId } from './families.js';

/** What a card needs to know of a network. */
export interface FittedNetwork {
  readonly frontEnd: FrontEnd;
  readonly input: NetworkSpec['input'];
  readonly outputName: string;
  /** Length of an embedding, where the file says it. */
  readonly dimension: number | null;
}

/** What the operator says beside the family. */
export interface Wishes {
  /** The tensor that holds the embedding; undefined: the file must leave no doubt. */
  readonly outputName?: string | undefined;
  /** Where the file's metadata does not say it. */
  readonly sampleRateHz?: number | undefined;
}

/** Names that exporters give the embedding where a network gives more than it (NeMo: its classes as well). */
const embeddingNames = ['embs', 'emb', 'embedding', 'embeddings'];

/**
 * Joins a family with what an ONNX file says of itself: names of tensors, order of axes, mel bins, rate.
 * @throws VoicegateError `model_invalid` with a list of what the file has, where the two do not go together
 */
export function fitNetwork(found: NetworkDescription, familyId: FamilyId, wishes: Wishes = {}): FittedNetwork {
  const family = families[familyId];
  const refuse = (message: string): never => {
    throw new VoicegateError('model_invalid', `this is no network of the family ${familyId}: ${message}`, {
      hint: `The file has ${overview(found)}. The families are ${familyIds.join(', ')}`,
    });
  };
  const framework = found.metadata.get('framework');
  const known = familyIds.some((id) => families[id].framework === framework);
  if (framework !== undefined && known && framework !== family.framework) {
    refuse(`its metadata says that it is of ${framework}`);
  }

  const signals = found.inputs.filter((tensor) => tensor.type === 'float32');
  const lengths = found.inputs.filter((tensor) => tensor.type === 'int64');
  const [signal] = signals;
  if (signal === undefined || signals.length > 1 || lengths.length > 1 || signals.length + lengths.length < found.inputs.length) {
    return refuse('it should take one tensor of 32-bit floats and at most one of 64-bit integers, the length');
  }
  const rank = family.layout === 'samples' ? 2 : 3;
  if (signal.shape.length !== 0 && signal.shape.length !== rank) {
    refuse(`its input should have ${rank} axes (${family.layout})`);
  }
  const says = (key: string): number | undefined => {
    const value = Number(found.metadata.get(key) ?? NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  const rateInFile = says('sample_rate');
  if (rateInFile !== undefined && wishes.sampleRateHz !== undefined && rateInFile !== wishes.sampleRateHz) {
    refuse(`its metadata says ${rateInFile} Hz, not ${wishes.sampleRateHz}`);
  }
  const { layout, bins } = axesOf(signal, family.layout);
  const frontEnd = family.frontEnd({
    sampleRateHz: rateInFile ?? wishes.sampleRateHz ?? family.usual.sampleRateHz,
    melBins: bins ?? says('feat_dim') ?? family.usual.melBins,
    says,
  });
  const output = outputOf(found.outputs, wishes.outputName);
  if (output === null) return refuse('which output is the embedding? Name it');
  const last = output.shape.at(-1);
  return {
    frontEnd,
    input: { name: signal.name, layout, lengthName: lengths[0]?.name ?? null },
    outputName: output.name,
    dimension: typeof last === 'number' && last > 1 ? last : (says('output_dim') ?? null),
  };
}

/** Which axis is time is seen from which one is fixed; the fixed one is as long as there are bins. */
function axesOf(
  { shape }: TensorDescription,
  layout: FittedNetwork['input']['layout'],
): { layout: FittedNetwork['input']['layout']; bins: number | undefined } {
  const [, second, third] = shape;
  if (layout === 'samples') return { layout, bins: undefined };
  if (typeof third === 'number' && typeof second !== 'number') return { layout: 'time-bins', bins: third };
  if (typeof second === 'number' && typeof third !== 'number') return { layout: 'bins-time', bins: second };
  return { layout, bins: undefined };
}

function outputOf(outputs: readonly TensorDescription[], wished: string | undefined): TensorDescription | null {
  const floats = outputs.filter((tensor) => tensor.type === 'float32');
  const named = floats.filter((tensor) => (wished === undefined ? embeddingNames.includes(tensor.name) : tensor.name === wished));
  const candidates = wished === undefined && floats.length === 1 ? floats : named;
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

function overview({ inputs, outputs, metadata }: NetworkDescription): string {
  const listed = (tensors: readonly TensorDescription[]): string =>
    tensors.map(({ name, type, shape }) => `${name} ${type} [${shape.join(', ')}]`).join(', ');
  const pairs = [...metadata].filter(([key]) => /framework|rate|dim|normali[sz]e|window/.test(key));
  const says = pairs.map(([key, value]) => `${key} ${value}`).join(', ');
  return `inputs ${listed(inputs)}; outputs ${listed(outputs)}; metadata ${says || 'none'}`;
}
