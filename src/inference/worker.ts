import { parentPort, workerData } from 'node:worker_threads';
import { VoicegateError } from '../errors.js';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.js';
import type { Piece } from './network.js';
import { openNetwork, type NetworkSession } from './session.js';

/** Seconds of noise each network hears before the worker calls itself ready: compiled front-end, touched pages, grown buffers. */
const warmUpSeconds = 3;

const port = parentPort;
if (port === null) throw new Error('inference/worker.ts runs only as a worker thread');
const { networks } = workerData as WorkerSetup;
const sessions = new Map<string, NetworkSession>();

const send = (message: FromWorker, moved: readonly ArrayBuffer[] = []): void => port.postMessage(message, [...moved]);

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'run':
      void run(message.networkId, message.samples, message.piece);
      break;
    case 'stop':
      port.close();
      break;
    default:
      throw new Error('the inference worker got a message it does not know');
  }
});

await start();

async function start(): Promise<void> {
  for (const spec of networks) {
    try {
      const session = await openNetwork(spec);
      await session.run(quietNoise(warmUpSeconds * spec.frontEnd.sampleRateHz));
      sessions.set(spec.id, session);
    } catch (error) {
      send({ kind: 'unusable', networkId: spec.id, message: reasonOf(error), hint: hintOf(error) });
      port?.close();
      return;
    }
  }
  send({ kind: 'ready' });
}

async function run(networkId: string, samples: Float32Array<ArrayBuffer>, piece: Piece | null): Promise<void> {
  const memory = samples.buffer;
  try {
    const answer = await sessions.get(networkId)?.run(samples, piece);
    if (answer === undefined) throw new Error(`no network named ${networkId}`);
    // A copy to be moved: whose memory ONNX Runtime's answer lies in is its own business.
    const values = answer.values.slice();
    const state = answer.state?.slice() ?? null;
    send({ kind: 'answer', ...answer, values, state, memory }, [values.buffer, memory]);
  } catch (error) {
    send({ kind: 'refusal', message: reasonOf(error), memory }, [memory]);
  }
}

/** Deterministic noise of about −50 dB (32-bit LCG, constants of Numerical Recipes). */
function quietNoise(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 0.01;
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hintOf(error: unknown): string {
  return (error instanceof VoicegateError && error.hint) || '';
}
