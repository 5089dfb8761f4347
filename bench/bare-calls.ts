import { join } from 'node:path';
import { expandG711, mulawTable } from '../src/audio/g711.js';
import { ActivityStream } from '../src/audio/activity-stream.js';
import { activityNetworkOf, loadActivityCard } from '../src/audio/activity-card.js';
import { SpeechTrack } from '../src/audio/speech-track.js';
import { defaultModelId } from '../src/config.js';
import { loadModelCard, networkOf } from '../src/embedding/model-card.js';
import { openNetwork } from '../src/inference/session.js';
import { modelsDir } from '../src/paths.js';
import { sherpaEmbedder } from './sherpa.js';

/** What a call costs where there is no service: cores busy for one call in real time. */
export interface BareShare {
  /** Embeddings of its windows alone, in our session and in sherpa-onnx-node. */
  readonly ours: number;
  readonly sherpa: number;
  /** Finding its speech, piece by piece. */
  readonly activity: number;
}

const rateHz = 8000;
const rounds = 5;

/**
 * The bare work on the windows that a service would make of these calls: everything in this thread, processor time.
 * @param sides µ-law at 8 kHz
 */
export async function bareEmbeddingShare(sides: readonly Buffer[]): Promise<BareShare> {
  const modelDir = join(modelsDir, defaultModelId);
  const activityDir = join(modelsDir, 'activity-8k');
  const [model, activityCard] = [
    networkOf(await loadModelCard(modelDir), modelDir),
    await loadActivityCard(activityDir),
  ];
  const [embedding, activity] = [
    await openNetwork(model),
    await openNetwork(activityNetworkOf(activityCard, activityDir)),
  ];
  const sherpa = sherpaEmbedder(model.onnxPath, rateHz);
  const calls = sides.map((side) => expandG711(side, mulawTable, 1, 0));
  const callSeconds = calls.reduce((sum, samples) => sum + samples.length / rateHz, 0);

  const windowsOf = async (samples: Float32Array): Promise<Float32Array[]> => {
    const ear = new ActivityStream(
      { run: async (_id, piece, _signal, at) => ({ ...(await activity.run(piece, at)), queuedMs: 0 }) },
      activityCard,
    );
    const track = new SpeechTrack(rateHz);
    ear.accept(samples);
    track.accept(samples);
    ear.finish();
    do track.settle(await ear.read());
    while (ear.ready);
    track.finish();
    return track.readWindows().map((window) => window.samples);
  };
  const windows: Float32Array[] = [];
  for (const samples of calls) windows.push(...(await windowsOf(samples)));
  const share = async (work: () => Promise<void> | void): Promise<number> => {
    await work();
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6 / rounds / callSeconds;
  };
  return {
    ours: await share(async () => {
      for (const window of windows) await embedding.run(window);
    }),
    sherpa: await share(() => {
      for (const window of windows) sherpa(window);
    }),
    activity: await share(async () => {
      for (const samples of calls) await windowsOf(samples);
    }),
  };
}
