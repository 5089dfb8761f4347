import type { ServiceContext } from './context.js';

interface ByModel {
  readonly modelId: string;
}

/** The model that judges an account: the first of the loaded ones, active before second, that has a print; the active one if none has. */
export function listenerFor({ ears }: ServiceContext, prints: readonly ByModel[]): string {
  return ears.modelIds.find((modelId) => prints.some((print) => print.modelId === modelId)) ?? ears.modelIds[0];
}

/** The print that a model compares with; where it has none any other, for the record of the mismatch. */
export function printFor<P extends ByModel>(modelId: string, prints: readonly P[]): P | null {
  return prints.find((print) => print.modelId === modelId) ?? prints[0] ?? null;
}
