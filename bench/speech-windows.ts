import { SpeechWindows, type SpeechWindow, type SpeechWindowRules } from '../src/audio/speech-windows.js';
import type { SampleSpan } from '../src/audio/waveform.js';
import type { Embedder } from '../src/embedding/embedder.js';
import { cosine, weightedMean } from '../src/scoring/cosine.js';
import { equalErrorRate, minDcf } from '../src/scoring/error-rates.js';
import { RunningVoice } from '../src/scoring/running-voice.js';
import { openEars } from './activity.js';
import { openSpeakerLists, sampleRateHz, type OpenList } from './activity-lists.js';

/** Tested recordings of one speaker that are put together, like a longer turn in a call. */
const joinedFiles = 4;
/** One piece, however long; then as the service does with other lengths. */
const variants: readonly SpeechWindowRules[] = [
  { windowSeconds: 100_000, leastLastSpeechSeconds: 0 },
  { windowSeconds: 8, leastLastSpeechSeconds: 1 },
  { windowSeconds: 6, leastLastSpeechSeconds: 1 },
  { windowSeconds: 6, leastLastSpeechSeconds: 0.3 },
  { windowSeconds: 4, leastLastSpeechSeconds: 1 },
  { windowSeconds: 3, leastLastSpeechSeconds: 1 },
];

interface Scores {
  readonly targets: number[];
  readonly nontargets: number[];
}
type Recording = Pick<OpenList['heard'][number], 'activity'> & { readonly samples: Float32Array };

/**
 * Cosine error rates of six speaker lists (en-words is too short to be cut) for several lengths of windows: the trials as they are, and with two to
 * four tested recordings of one speaker joined. A print is the mean of its recordings' embeddings; each recording is heard by the same rule.
 * @param model a folder in models/
 */
export async function benchSpeechWindows(
  speechDir: string,
  model: string,
  print: (line: string) => void = console.log,
): Promise<void> {
  const { pool, detector, embedder } = await openEars(2, model);
  try {
    const lists = (await openSpeakerLists(speechDir, detector)).filter(({ name }) => name !== 'en-words');
    print('| window s | last s | windows | s embedded | EER % | minDCF | joined: EER % | minDCF |');
    for (const rules of variants) {
      const ear = new BenchEar(embedder, rules);
      const single: Scores = { targets: [], nontargets: [] };
      const joined: Scores = { targets: [], nontargets: [] };
      for (const list of lists) await score(list, ear, single, joined);
      const figures = [single, joined].flatMap((scores) => [
        (100 * equalErrorRate(scores)).toFixed(2),
        minDcf(scores, 0.01).toFixed(3),
      ]);
      const { windowSeconds, leastLastSpeechSeconds } = rules;
      const row = [windowSeconds, leastLastSpeechSeconds, ear.windows, ear.embeddedSeconds.toFixed(0), ...figures];
      print(`| ${row.join(' | ')} |`);
    }
  } finally {
    await pool.close();
  }
}

/** Hears recordings by one rule; a window that was embedded before is not embedded again. */
class BenchEar {
  private static readonly known = new Map<string, Float32Array>();
  windows = 0;
  embeddedSeconds = 0;

  constructor(
    private readonly embedder: Embedder,
    private readonly rules: SpeechWindowRules,
  ) {}

  async hear({ samples, activity }: Recording): Promise<Float32Array> {
    const voice = new RunningVoice();
    for (const window of cut(samples, activity.spans, this.rules)) {
      voice.add(await this.embed(window.samples), window.netSpeechSeconds);
    }
    // A recording in which nobody was found is heard whole: the trial has to be scored.
    return voice.mean() ?? this.embed(samples);
  }

  private async embed(samples: Float32Array): Promise<Float32Array> {
    this.windows++;
    this.embeddedSeconds += samples.length / sampleRateHz;
    const key = `${samples.length} ${samples.reduce((sum, x, n) => sum + x * ((n % 97) + 1), 0)}`;
    const vector = BenchEar.known.get(key) ?? (await this.embedder.embed(samples, 0)).vector;
    BenchEar.known.set(key, vector);
    return vector;
  }
}

function cut(samples: Float32Array, spans: readonly SampleSpan[], rules: SpeechWindowRules): SpeechWindow[] {
  const windows = new SpeechWindows(sampleRateHz, rules);
  let at = 0;
  for (const { startSample, endSample } of spans) {
    windows.accept(samples.subarray(at, startSample), false);
    windows.accept(samples.subarray(startSample, endSample), true);
    at = endSample;
  }
  windows.accept(samples.subarray(at), false);
  windows.finish();
  return windows.read();
}

async function score(list: OpenList, ear: BenchEar, single: Scores, joined: Scores): Promise<void> {
  const recordings = new Map(list.heard.map(({ file, activity }) => [file.name, { ...file, activity }]));
  const voices = new Map<string, Float32Array>();
  for (const [name, recording] of recordings) voices.set(name, await ear.hear(recording));
  const models = new Map(
    [...list.models].map(([model, files]) => {
      const vectors = files.flatMap((file) => voices.get(file) ?? []);
      return [model, weightedMean(vectors, Array<number>(vectors.length).fill(1))];
    }),
  );
  const note = (scores: Scores, trial: OpenList['trials'][number], heard: Float32Array | undefined): void => {
    const model = models.get(trial.model);
    if (model === undefined || heard === undefined) throw new Error(`${list.name}: no file for ${trial.test}`);
    (trial.isTarget ? scores.targets : scores.nontargets).push(cosine(model, heard));
  };
  for (const trial of list.trials) note(single, trial, voices.get(trial.test));
  const tested = [...new Set(list.trials.map((trial) => trial.test))].sort();
  for (const group of groups(tested, (name) => recordings.get(name)?.speaker ?? '')) {
    const heard = await ear.hear(join(group.flatMap((name) => recordings.get(name) ?? [])));
    const models = new Set<string>();
    for (const trial of list.trials) {
      if (!group.includes(trial.test) || models.has(trial.model)) continue;
      models.add(trial.model);
      note(joined, trial, heard);
    }
  }
}

/** Two to four names of one speaker each. */
function groups(names: readonly string[], speakerOf: (name: string) => string): string[][] {
  const bySpeaker = new Map<string, string[]>();
  for (const name of names) bySpeaker.set(speakerOf(name), [...(bySpeaker.get(speakerOf(name)) ?? []), name]);
  return [...bySpeaker.values()].flatMap((own) =>
    Array.from({ length: Math.ceil(own.length / joinedFiles) }, (_, n) =>
      own.slice(n * joinedFiles, (n + 1) * joinedFiles),
    ).filter((group) => group.length > 1),
  );
}

function join(parts: readonly Recording[]): Recording {
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.samples.length, 0));
  const spans: SampleSpan[] = [];
  let at = 0;
  for (const part of parts) {
    samples.set(part.samples, at);
    for (const span of part.activity.spans) {
      spans.push({ startSample: span.startSample + at, endSample: span.endSample + at });
    }
    at += part.samples.length;
  }
  return { samples, activity: { spans, sampleRateHz, netSpeechSeconds: 0 } };
}
