import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type t from 'tap';
import type { ModelCard } from '../../src/embedding/model-card.js';
import type { FrontEnd } from '../../src/features/front-end.js';
import { network, networksDir, sha256Of } from '../inference/networks.js';

/** A card for one of the tiny networks of test/inference. */
export function cardFor(name: Parameters<typeof network>[0], frontEnd: FrontEnd, dimension: number): ModelCard {
  const { input, outputName } = network(name);
  return {
    id: name,
    file: `${name}.onnx`,
    sha256: sha256Of(name),
    frontEnd,
    input,
    outputName,
    dimension,
    shortestSeconds: 0.1,
    licence: { spdx: 'CC0-1.0', attribution: 'made for tests' },
    trainedOn: [{ corpus: 'nothing', licence: 'CC0-1.0', speakers: 1 }],
    measured: { conditions: 'nothing was measured', lists: [] },
    golden: { signal: 'sweeps-and-bursts', file: 'golden.json', minimumCosine: 0.9999 },
    notes: [],
  };
}

/** A model's folder with card, ONNX file and golden vector, gone after the test. `card` may be anything, to be refused. */
export function modelFolder(t: Tap, name: string, card: unknown, golden?: unknown): string {
  const parent = mkdtempSync(join(tmpdir(), 'voicegate-model-'));
  t.teardown(() => rmSync(parent, { recursive: true }));
  const dir = join(parent, name);
  mkdirSync(dir);
  cpSync(join(networksDir, `${name}.onnx`), join(dir, `${name}.onnx`));
  writeFileSync(join(dir, 'card.json'), typeof card === 'string' ? card : JSON.stringify(card));
  if (golden !== undefined)
    writeFileSync(join(dir, 'golden.json'), typeof golden === 'string' ? golden : JSON.stringify(golden));
  return dir;
}

export type Tap = Pick<typeof t, 'teardown'>;
